package projectathon

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

func pair() *PeerTest {
	return &PeerTest{ID: "pt-1", Case: "TC01", State: Proposed, Sides: []Side{
		{System: "FI_node", Country: "FI", Role: Requester}, {System: "PT_node", Country: "PT", Role: Provider}}}
}

func verified(monitor string) []Verdict {
	return []Verdict{{Monitor: monitor, Country: "AT", System: "FI_node", Outcome: Verified}, {Monitor: monitor, Country: "AT", System: "PT_node", Outcome: Verified}}
}

// claimed is a pair test that a monitor from Austria has claimed.
func claimed(t *testing.T) *PeerTest {
	t.Helper()
	p := pair()
	team := PeerStep{At: noon, By: "team", As: ByParticipant}
	for _, do := range []func() error{
		func() error { return p.Accept("FI_node", team) },
		func() error { return p.Accept("PT_node", team) },
		func() error { return p.Move(Running, team) },
		func() error { return p.Move(ToBeVerified, team) },
		func() error { return p.Claim("m1", "AT", noon) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func refused(t *testing.T, what string, err error, says string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s is accepted", what)
	} else if !strings.Contains(err.Error(), says) {
		t.Errorf("%s is refused with %q, which does not say %q", what, err, says)
	}
}

func TestBothSidesAcceptBeforeATestStarts(t *testing.T) {
	p := pair()
	team := PeerStep{At: noon, As: ByParticipant}
	if err := p.Accept("FI_node", team); err != nil || p.State != Proposed {
		t.Fatalf("one yes gives %s, %v", p.State, err)
	}
	refused(t, "a start with one yes", p.Move(Running, team), "cannot become running")
	refused(t, "a stranger's yes", p.Accept("DE_node", team), "does not take part")
	if err := p.Accept("PT_node", team); err != nil || p.State != Accepted {
		t.Fatalf("both say yes and it is %s, %v", p.State, err)
	}
}

func TestOnlyANeutralMonitorGrades(t *testing.T) {
	p := claimed(t)
	refused(t, "a team's verdict", p.Move(Verified, PeerStep{As: ByParticipant}), "for a monitor")
	own := verified("m1")
	own[0].Country = "FI"
	refused(t, "a monitor of the country", p.Grade(own, noon), "cannot verify")
	refused(t, "another monitor's verdict", p.Grade(verified("m2"), noon), "claimed by another")
	half := verified("m1")
	half[1].Outcome = Partially
	refused(t, "a partial verdict without assertions", p.Grade(half, noon), "name the assertions")
	refused(t, "one verdict for two sides", p.Grade(half[:1], noon), "one verdict for each")
	if err := p.Grade(verified("m1"), noon); err != nil || p.State != Verified {
		t.Fatalf("got %s, %v", p.State, err)
	}
	refused(t, "a second grading", p.Grade(verified("m1"), noon), "cannot be graded")
}

func TestVerdictsArePerSide(t *testing.T) {
	p := claimed(t)
	v := verified("m1")
	v[1].Outcome, v[1].Failing = Failed, []Failing{{"R-EDM-RESP-S004", CauseOwn}}
	if err := p.Grade(v, noon); err != nil || p.State != Failed {
		t.Fatalf("got %s, %v", p.State, err)
	}
	if fi, _ := p.Current("FI_node"); fi.Outcome != Verified {
		t.Errorf("the requester did well and got %s", fi.Outcome)
	}
}

func TestAnAppealIsDecidedBySomebodyElse(t *testing.T) {
	p := claimed(t)
	v := verified("m1")
	v[1].Outcome, v[1].Failing = Failed, []Failing{{"X-10", CauseOwn}}
	if err := p.Grade(v, noon); err != nil {
		t.Fatal(err)
	}
	if err := p.Move(Disputed, PeerStep{At: noon, As: ByParticipant}); err != nil {
		t.Fatal(err)
	}
	refused(t, "the same monitor on appeal", p.Resolve("m1", "AT", nil, noon), "somebody else")
	refused(t, "a partial monitor on appeal", p.Resolve("m2", "PT", nil, noon), "cannot verify")
	if err := p.Resolve("m2", "AT", verified("m2"), noon); err != nil || p.State != Regraded {
		t.Fatalf("got %s, %v", p.State, err)
	}
	if pt, _ := p.Current("PT_node"); pt.Outcome != Verified || len(p.Verdicts) != 4 {
		t.Errorf("the regrade counts as %s, %d verdicts are kept", pt.Outcome, len(p.Verdicts))
	}
}

func TestAnAbortNeedsItsCause(t *testing.T) {
	p := pair()
	p.State = Running
	refused(t, "an abort without cause", p.Move(Aborted, PeerStep{As: ByParticipant}), "needs its cause")
	if err := p.Move(Aborted, PeerStep{As: ByParticipant, Cause: CauseSpecification}); err != nil {
		t.Error(err)
	}
}

func TestTheEventGoesStepByStep(t *testing.T) {
	e := Event{State: Draft}
	refused(t, "an announcement without a frozen line", e.Advance(Announced), "specification line")
	e.Line, e.Catalogue, e.DataSet = "oots-edm:v2.0", "2026-11", "1"
	for _, to := range lifecycle[1:] {
		if err := e.Advance(to); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "a step back", e.Advance(Live), "cannot become")
	refused(t, "a late cancellation", e.Advance(Cancelled), "cannot be cancelled")
	permanent := Event{State: Live, Permanent: true}
	refused(t, "the end of the permanent event", permanent.Advance(Grading), "stays live")
}

func TestCapabilitiesNeedOneAnother(t *testing.T) {
	requester := Capability{"evidence exchange", "evidence requester", ""}
	if problems := CheckCapabilities([]Capability{requester}); len(problems) != 2 {
		t.Errorf("a requester alone lacks %q, want the identity requester and the query client", problems)
	}
	whole := []Capability{requester, {"evidence exchange", "Common Services query client", ""}, {"eIDAS", "identity requester", "notified scheme"}, {"eIDAS", "eIDAS node", ""}}
	if problems := CheckCapabilities(whole); len(problems) > 0 {
		t.Errorf("a whole requester is refused: %q", problems)
	}
	if problems := CheckCapabilities([]Capability{{"magic", "wand", ""}}); len(problems) != 1 {
		t.Errorf("an unknown capability gives %q", problems)
	}
	if problems := CheckCapabilities(nil); len(problems) != 1 {
		t.Errorf("no capability gives %q", problems)
	}
}
