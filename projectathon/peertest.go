package projectathon

import (
	"fmt"
	"slices"
	"time"
)

// PeerState is where a peer test stands.
type PeerState string

const (
	Proposed     PeerState = "proposed"
	Accepted     PeerState = "accepted"
	Scheduled    PeerState = "scheduled"
	Running      PeerState = "running"
	Paused       PeerState = "paused"
	ToBeVerified PeerState = "to_be_verified"
	Claimed      PeerState = "claimed"
	Verified     PeerState = "verified"
	Partially    PeerState = "partially_verified"
	Failed       PeerState = "failed"
	Declined     PeerState = "declined"
	NoShow       PeerState = "no_show"
	Aborted      PeerState = "aborted"
	Expired      PeerState = "expired"
	Disputed     PeerState = "disputed"
	Regraded     PeerState = "regraded"
	Confirmed    PeerState = "confirmed"
)

// Actor is who may take a step of a peer test.
type Actor string

const (
	ByParticipant Actor = "participant" // a team of either side
	ByMonitor     Actor = "monitor"
	ByManager     Actor = "manager" // test session manager
	ByPlatform    Actor = "platform"
)

// moves says which state follows which, and who may make the step. What is not
// listed is refused.
var moves = []struct {
	from, to PeerState
	by       []Actor
}{
	{Proposed, Accepted, []Actor{ByParticipant}}, // both sides; see PeerTest.Accept
	{Proposed, Declined, []Actor{ByParticipant}},
	{Proposed, Expired, []Actor{ByPlatform}},
	{Accepted, Scheduled, []Actor{ByPlatform, ByManager}},
	{Accepted, Running, []Actor{ByParticipant, ByPlatform}},
	{Scheduled, Running, []Actor{ByParticipant, ByPlatform}},
	{Scheduled, Expired, []Actor{ByPlatform}}, // it has lost its place in the plan
	{Scheduled, NoShow, []Actor{ByPlatform, ByManager, ByMonitor}},
	{Scheduled, Aborted, []Actor{ByParticipant, ByManager}},
	{Running, Paused, []Actor{ByParticipant}},
	{Paused, Running, []Actor{ByParticipant}},
	{Running, ToBeVerified, []Actor{ByParticipant, ByPlatform}},
	{Running, Aborted, []Actor{ByParticipant, ByManager, ByPlatform}},
	{Paused, Aborted, []Actor{ByParticipant, ByManager, ByPlatform}},
	{ToBeVerified, Claimed, []Actor{ByMonitor}},
	{Claimed, ToBeVerified, []Actor{ByMonitor}}, // given back
	{Claimed, Verified, []Actor{ByMonitor}},
	{Claimed, Partially, []Actor{ByMonitor}},
	{Claimed, Failed, []Actor{ByMonitor}},
	{Verified, Disputed, []Actor{ByParticipant, ByPlatform}}, // an appeal, or a second look that disagrees
	{Partially, Disputed, []Actor{ByParticipant, ByPlatform}},
	{Failed, Disputed, []Actor{ByParticipant, ByPlatform}},
	{Disputed, Regraded, []Actor{ByMonitor}},
	{Disputed, Confirmed, []Actor{ByMonitor}},
}

// Cause is why a test was aborted, or whose fault a failing assertion is.
type Cause string

const (
	CauseOwn            Cause = "own"
	CausePartner        Cause = "partner"
	CauseInfrastructure Cause = "infrastructure"
	CauseSpecification  Cause = "specification"
)

// Side is a participant's part in a peer test.
type Side struct {
	System, Country string
	Role            Role
	Accepted        bool
}

// PeerTest is one case played by two or three systems. Its states and verdicts
// are only ever added to.
type PeerTest struct {
	ID      string
	Event   string // empty for a bilateral test
	Case    string
	Variant string
	Line    string
	Sides   []Side
	State   PeerState
	Monitor string // who has claimed it
	History []PeerStep
	// Verdicts are all that were given; the last one of a side counts.
	Verdicts []Verdict
	// SecondLook is set when another monitor must agree before it counts.
	SecondLook bool

	Catalogue string // version that the case was taken from
	Mode      string // manual, test-tool or automated
	Slot      int    // of the timetable
	Why       []string
	// Started and Ended are when it was first running, and when a side said that
	// it was over; zero before.
	Started, Ended time.Time
	Steps          []Step
	Findings       []Finding
	Talk           []Remark
	Evidence       []Item
	Told           int // facts of it that the ledger holds
}

// Step is one step of the case as both sides see it.
type Step struct {
	ID    string
	Title string
	Actor Role            // whose move it is
	Marks map[string]Mark // by system
}

// Mark is what a side says of a step.
type Mark struct {
	State string // completed, failed or skipped
	At    time.Time
	By    string
}

// Disputed tells whether the sides say different things of a step.
func (s Step) Disputed() bool {
	first := ""
	for _, m := range s.Marks {
		if first != "" && m.State != first {
			return true
		}
		first = m.State
	}
	return false
}

// Finding is what an automatic assertion found.
type Finding struct {
	Assertion string // id of the assertion or validator rule
	System    string // the side it speaks about
	Holds     bool
	Text      string // what was found
}

// Remark is a line of the discussion of a step; an empty step is the whole test.
type Remark struct {
	At   time.Time
	By   string
	Step string
	Text string
}

// PeerStep is one change of state.
type PeerStep struct {
	At       time.Time
	From, To PeerState
	By       string // token owner or "platform"
	As       Actor
	Cause    Cause // of an abort
	Note     string
}

// Verdict is a monitor's finding for one side.
type Verdict struct {
	At      time.Time
	Monitor string
	Country string // of the monitor's employer
	System  string // the side it is about
	Outcome PeerState
	// Failing are the assertions that failed, and whose fault each is.
	Failing []Failing
	Second  bool // the second look
}

// Failing is one assertion of a case that did not hold.
type Failing struct {
	Assertion string // id of the assertion or validator rule
	Cause     Cause
}

// Move takes the test from one state to the next.
func (p *PeerTest) Move(to PeerState, step PeerStep) error {
	for _, m := range moves {
		if m.from != p.State || m.to != to {
			continue
		}
		if !slices.Contains(m.by, step.As) {
			return fmt.Errorf("a %s cannot set a test to %s; that is for a %s", step.As, to, m.by[0])
		}
		if to == Accepted && !p.bothAccepted() {
			return fmt.Errorf("every side must accept before the test is accepted")
		}
		if to == Aborted && step.Cause == "" {
			return fmt.Errorf("an aborted test needs its cause: own, partner, infrastructure or specification")
		}
		step.From, step.To = p.State, to
		p.State, p.History = to, append(p.History, step)
		return nil
	}
	return fmt.Errorf("a test that is %s cannot become %s", p.State, to)
}

// Accept records one side's yes; the last one makes the test accepted.
func (p *PeerTest) Accept(system string, step PeerStep) error {
	i := slices.IndexFunc(p.Sides, func(s Side) bool { return s.System == system })
	if i < 0 {
		return fmt.Errorf("%s does not take part in this test", system)
	}
	if p.State != Proposed {
		return fmt.Errorf("a test that is %s cannot be accepted", p.State)
	}
	if p.Sides[i].Accepted {
		return fmt.Errorf("%s has accepted already; the test waits for its partner", system)
	}
	p.Sides[i].Accepted = true
	if !p.bothAccepted() {
		return nil
	}
	return p.Move(Accepted, step)
}

func (p *PeerTest) bothAccepted() bool {
	return !slices.ContainsFunc(p.Sides, func(s Side) bool { return !s.Accepted })
}

// Claim gives the test to a monitor, who must come from none of its countries.
func (p *PeerTest) Claim(monitor, country string, at time.Time) error {
	if err := p.neutral(country); err != nil {
		return err
	}
	if err := p.Move(Claimed, PeerStep{At: at, By: monitor, As: ByMonitor}); err != nil {
		return err
	}
	p.Monitor = monitor
	return nil
}

func (p *PeerTest) neutral(country string) error {
	for _, s := range p.Sides {
		if s.Country == country {
			return fmt.Errorf("a monitor of %s cannot verify a test of %s", country, s.System)
		}
	}
	return nil
}

// Grade records the verdicts of the monitor who has claimed the test, one per
// side. Nothing graded can be edited: a regrade is a new verdict.
func (p *PeerTest) Grade(verdicts []Verdict, at time.Time) error {
	if p.State != Claimed {
		return fmt.Errorf("a test that is %s cannot be graded; claim it first", p.State)
	}
	if err := p.check(verdicts); err != nil {
		return err
	}
	for _, v := range verdicts {
		if v.Monitor != p.Monitor {
			return fmt.Errorf("the test is claimed by another monitor")
		}
	}
	if err := p.Move(worst(verdicts), PeerStep{At: at, By: p.Monitor, As: ByMonitor}); err != nil {
		return err
	}
	p.Verdicts = append(p.Verdicts, verdicts...)
	return nil
}

// Resolve ends a dispute: no verdicts confirm what was found, new verdicts by
// another monitor replace it.
func (p *PeerTest) Resolve(monitor, country string, verdicts []Verdict, at time.Time) error {
	if err := p.neutral(country); err != nil {
		return err
	}
	for _, old := range p.Verdicts {
		if old.Monitor == monitor {
			return fmt.Errorf("an appeal is decided by somebody else than the monitor who gave the verdict")
		}
	}
	to := Confirmed
	if len(verdicts) > 0 {
		if err := p.check(verdicts); err != nil {
			return err
		}
		to = Regraded
	}
	if err := p.Move(to, PeerStep{At: at, By: monitor, As: ByMonitor}); err != nil {
		return err
	}
	p.Verdicts = append(p.Verdicts, verdicts...)
	return nil
}

// check holds verdicts to their form: one per side, by a neutral monitor, with
// the failing assertions named unless everything held.
func (p *PeerTest) check(verdicts []Verdict) error {
	if len(verdicts) != len(p.Sides) {
		return fmt.Errorf("give one verdict for each of the %d sides", len(p.Sides))
	}
	for _, s := range p.Sides {
		i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.System == s.System })
		if i < 0 {
			return fmt.Errorf("the verdict for %s is missing", s.System)
		}
		v := verdicts[i]
		if err := p.neutral(v.Country); err != nil {
			return err
		}
		switch v.Outcome {
		case Verified:
		case Partially, Failed:
			if len(v.Failing) == 0 {
				return fmt.Errorf("%s is %s: name the assertions that failed and whose fault they are", s.System, v.Outcome)
			}
		default:
			return fmt.Errorf("%q is not a verdict; give verified, partially_verified or failed", v.Outcome)
		}
	}
	return nil
}

// worst is the state of a test whose sides got these verdicts.
func worst(verdicts []Verdict) PeerState {
	to := Verified
	for _, v := range verdicts {
		switch {
		case v.Outcome == Failed:
			return Failed
		case v.Outcome == Partially:
			to = Partially
		}
	}
	return to
}

// Current is the verdict that counts for a side: the last one.
func (p *PeerTest) Current(system string) (Verdict, bool) {
	for _, v := range slices.Backward(p.Verdicts) {
		if v.System == system {
			return v, true
		}
	}
	return Verdict{}, false
}
