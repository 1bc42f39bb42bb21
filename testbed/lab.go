package testbed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
)

// Names of the access points of a lab.
const (
	PlatformName = "AP_NL_TEST_01"
	PracticeName = "AP_FI_DEMO_01"
)

// LabConfig says what a lab is made of.
type LabConfig struct {
	Catalogue *Catalogue
	Keys      *partner.Keys // of PlatformName and PracticeName; made when nil, which takes a moment
	Fault     string        // of the practice system; "" is honest
	Temper    partner.Temper
	Judge     *validator.Validator // made when nil; share one between labs
	Line      string               // of the exchange data model; oots-edm:v2.0 when empty
	Start     time.Time
	NewID     func() string
	// Names lets the practice system find the directories by a DNS server on a
	// loopback address; Close stops it.
	Names bool
}

// NewLab puts the platform and a practice system into one process, on a clock
// that stands still until a case lets time pass. Nothing leaves the process.
func NewLab(c LabConfig) (*Runner, error) {
	if c.Start.IsZero() {
		c.Start = time.Now()
	}
	if c.NewID == nil {
		c.NewID = as4.NewUUID
	}
	if c.Judge == nil {
		c.Judge = validator.New(validator.Config{})
	}
	clock := partner.NewClock(c.Start.UTC().Truncate(time.Millisecond))
	if c.Keys == nil {
		var err error
		if c.Keys, err = partner.NewKeys(nil, PlatformName, PracticeName); err != nil {
			return nil, err
		}
	}
	wire := &partner.Wire{}
	client := wire.Client(30 * time.Second)
	party := func(name, host, other, otherHost string) partner.PartyConfig {
		far := partner.Party{PartyConfig: partner.PartyConfig{Name: other, Host: otherHost, Keys: c.Keys.Parties[other]}}
		return partner.PartyConfig{Name: name, Host: host, Keys: c.Keys.Parties[name], Peers: []partner.Peer{far.Peer()}, HTTP: client, Clock: clock, NewID: c.NewID}
	}
	for _, name := range []string{PlatformName, PracticeName} {
		if c.Keys.Parties[name] == nil {
			return nil, fmt.Errorf("testbed: the keys have none for %s", name)
		}
	}
	const platformHost, practiceHost, directoryHost = "platform.test.example", "practice.test.example", "cs.test.example"
	me, err := partner.NewParty(party(PlatformName, platformHost, PracticeName, practiceHost))
	if err != nil {
		return nil, err
	}
	data := partner.DefaultData()
	set := platformSet(data, me.Peer(), c.Line)
	directories, err := partner.NewDirectories("https://"+directoryHost+"/", set, clock.Now)
	if err != nil {
		return nil, err
	}
	access := &partner.DirectoryAccess{Base: directories.Base, Root: directories.Root, HTTP: wire}
	platform := &partner.Platform{Party: me, Directories: directories}
	if c.Names {
		if platform.Names, err = partner.NewNames("127.0.0.1:0", directories.Base); err != nil {
			return nil, err
		}
		access.Names = platform.Names
	}
	system, err := partner.NewPractice(partner.PracticeConfig{PartyConfig: party(PracticeName, practiceHost, PlatformName, platformHost),
		Fault: c.Fault, Temper: c.Temper, Data: data, Judge: c.Judge, Directory: access,
		Line: edm.Line(c.Line), Part: partner.Demo().Contributions[data.Country]})
	if err != nil {
		return nil, err
	}
	wire.Serve(platformHost, me)
	wire.Serve(practiceHost, system)
	wire.Serve(directoryHost, directories)
	r := &Runner{Catalogue: c.Catalogue, Line: c.Line, Platform: platform, Clock: clock, NewID: c.NewID, Judge: c.Judge,
		Target: Target{Name: "practice system", Country: "FI", Version: "1", Mode: "automated", Peer: system.Peer(), Data: data, Browser: client,
			Instance: system.Instance(wire),
			Driver: DriverFunc(func(ctx context.Context, o Order) (Outcome, error) {
				told, err := system.Drive(ctx, o.Do, o.Args)
				return Outcome{told.State, told.Code, told.Detail, told.Fields, told.Rows}, err
			}),
			Settle: func(ctx context.Context) (bool, error) { return system.Settle(ctx) }}}
	return r, nil
}

// PeerLab puts several practice systems into one process: a requester and a
// provider, which find each other by directories.
type PeerLab struct {
	catalogue *Catalogue
	judge     *validator.Validator
	clock     *partner.Clock
	platform  *partner.Platform
	actors    map[string]*Target
	newID     func() string
	line      string

	mu   sync.Mutex
	mail []*partner.Mail
}

// NewPeerLab makes a peer lab. of is the actor, requester or provider, that has
// the fault.
func NewPeerLab(c LabConfig, of string) (*PeerLab, error) {
	if of == "" {
		of = "provider"
	}
	l := &PeerLab{catalogue: c.Catalogue, judge: c.Judge, newID: c.NewID, line: cmp.Or(c.Line, string(edm.V20)), actors: map[string]*Target{}}
	if l.newID == nil {
		l.newID = as4.NewUUID
	}
	if l.judge == nil {
		l.judge = validator.New(validator.Config{})
	}
	if c.Start.IsZero() {
		c.Start = time.Now()
	}
	l.clock = partner.NewClock(c.Start.UTC().Truncate(time.Millisecond))
	if c.Keys == nil {
		var err error
		if c.Keys, err = partner.NewKeys(nil, PlatformName, PracticeName); err != nil {
			return nil, err
		}
	}
	wire := &partner.Wire{}
	client := wire.Client(30 * time.Second)
	hosts := map[string]string{PlatformName: "requester.test.example", PracticeName: "provider.test.example"}
	data := partner.DefaultData()
	far := partner.Party{PartyConfig: partner.PartyConfig{Name: PracticeName, Host: hosts[PracticeName], Keys: c.Keys.Parties[PracticeName]}}
	directories, err := partner.NewDirectories("https://cs.test.example/", platformSet(data, far.Peer(), l.line), l.clock.Now)
	if err != nil {
		return nil, err
	}
	wire.Serve("cs.test.example", directories)
	l.platform = &partner.Platform{Directories: directories}
	var systems []*partner.Practice
	for _, a := range []struct{ actor, name, other, country string }{{"requester", PlatformName, PracticeName, "NL"}, {"provider", PracticeName, PlatformName, "FI"}} {
		other := partner.Party{PartyConfig: partner.PartyConfig{Name: a.other, Host: hosts[a.other], Keys: c.Keys.Parties[a.other]}}
		fault := ""
		if of == a.actor {
			fault = c.Fault
		}
		s, err := partner.NewPractice(partner.PracticeConfig{Fault: fault, Data: data, Judge: l.judge, Line: edm.Line(l.line),
			Directory: &partner.DirectoryAccess{Base: directories.Base, Root: directories.Root, HTTP: wire},
			PartyConfig: partner.PartyConfig{Name: a.name, Host: hosts[a.name], Keys: c.Keys.Parties[a.name], Peers: []partner.Peer{other.Peer()}, HTTP: client,
				Clock: l.clock, NewID: l.newID, Record: l.record}})
		if err != nil {
			return nil, err
		}
		wire.Serve(hosts[a.name], s)
		systems = append(systems, s)
		l.actors[a.actor] = &Target{Name: "practice " + a.actor, Country: a.country, Version: "1", Mode: "automated", Peer: s.Peer(), Data: data, Browser: client,
			Driver: DriverFunc(func(ctx context.Context, o Order) (Outcome, error) {
				told, err := s.Drive(ctx, o.Do, o.Args)
				return Outcome{told.State, told.Code, told.Detail, told.Fields, told.Rows}, err
			})}
	}
	settle := func(ctx context.Context) (worked bool, err error) {
		for _, s := range systems {
			w, err := s.Settle(ctx)
			if worked = worked || w; err != nil {
				return worked, err
			}
		}
		return worked, nil
	}
	for _, t := range l.actors {
		t.Settle = settle
	}
	l.actors["user"] = l.actors["provider"]
	return l, nil
}

func (l *PeerLab) record(m *partner.Mail) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mail = append(l.mail, m)
}

func (l *PeerLab) seen() []*partner.Mail {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.mail)
}

// Play plays a peer case between the systems of the lab.
func (l *PeerLab) Play(ctx context.Context, k *Case) (*Run, error) {
	r := &Runner{Catalogue: l.catalogue, Judge: l.judge, Clock: l.clock, NewID: l.newID, Line: l.line, Target: *l.actors["requester"]}
	r.defaults()
	run := &Run{ID: l.newID(), Case: k.ID, Title: k.Title, Suite: k.Suite, CaseHash: k.Hash, Catalogue: l.catalogue.Version, DataSet: r.DataSet,
		Line: l.line, System: "practice systems", Feeds: k.Feeds, Started: l.clock.Now()}
	if !k.Speaks(l.line) {
		run.Result = NotApplicable
		return run, nil
	}
	p := newPlayer(r, k, run)
	l.platform.Reset()
	p.Platform, p.seen, p.actors = l.platform, l.seen, l.actors
	p.from = len(l.seen())
	p.received = p.from
	at := time.Now()
	p.play(ctx)
	run.Took = time.Since(at)
	return run, ctx.Err()
}

// Close ends what a lab has running.
func (r *Runner) Close() error {
	if r.End != nil {
		return r.End()
	}
	if r.Platform != nil && r.Platform.Names != nil {
		return r.Platform.Names.Close()
	}
	return nil
}

// platformSet is the data set of the demonstration, in which the platform's
// access point is the one behind the country's data services and speaks the line
// that is tested, so that whoever speaks several asks in that one.
func platformSet(d partner.Data, me partner.Peer, line string) *cs.DataSet {
	set := partner.Demo()
	part := *set.Contributions[d.Country]
	part.AccessServices = slices.Clone(part.AccessServices)
	part.Providers = slices.Clone(part.Providers)
	for i := range part.AccessServices {
		old := part.AccessServices[i].Identifier
		part.AccessServices[i].ConformsTo = []string{cmp.Or(line, string(edm.V20))}
		part.AccessServices[i].Identifier.Scheme, part.AccessServices[i].Identifier.Value = me.ID.Type, me.ID.Value
		for j := range part.Providers {
			part.Providers[j].AccessServices = slices.Clone(part.Providers[j].AccessServices)
			for k, id := range part.Providers[j].AccessServices {
				if id == old {
					part.Providers[j].AccessServices[k] = part.AccessServices[i].Identifier
				}
			}
		}
	}
	return set.With(&part)
}
