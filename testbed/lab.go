package testbed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/once-only/oots/as4"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/commonservices/seed"
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
	set := platformSet(data, me.Peer())
	directories, err := partner.NewDirectories("https://"+directoryHost+"/", set, clock.Now)
	if err != nil {
		return nil, err
	}
	access := &partner.DirectoryAccess{Base: directories.Base, Root: directories.Root, HTTP: wire}
	platform := &partner.Platform{Party: me, Directories: directories}
	if c.Names {
		if platform.Names, err = partner.NewNames(directories.Base); err != nil {
			return nil, err
		}
		access.Names = platform.Names
	}
	system, err := partner.NewPractice(partner.PracticeConfig{PartyConfig: party(PracticeName, practiceHost, PlatformName, platformHost),
		Fault: c.Fault, Temper: c.Temper, Data: data, Judge: c.Judge, Directory: access,
		Line: edm.Line(c.Line), Part: seed.DataSet().Contributions[data.Country]})
	if err != nil {
		return nil, err
	}
	wire.Serve(platformHost, me)
	wire.Serve(practiceHost, system)
	wire.Serve(directoryHost, directories)
	r := &Runner{Catalogue: c.Catalogue, Line: c.Line, Platform: platform, Clock: clock, NewID: c.NewID, Judge: c.Judge,
		Target: Target{Name: "practice system", Country: "FI", Version: "1", Mode: "automated", Peer: system.Peer(), Data: data, Browser: client,
			Driver: DriverFunc(func(ctx context.Context, o Order) (Outcome, error) {
				told, err := system.Drive(ctx, o.Do, o.Args)
				return Outcome{told.State, told.Code, told.Detail, told.Fields, told.Rows}, err
			}),
			Settle: func(ctx context.Context) (bool, error) { return system.Settle(ctx) }}}
	return r, nil
}

// Close ends what a lab has running.
func (r *Runner) Close() error {
	if r.Platform != nil && r.Platform.Names != nil {
		return r.Platform.Names.Close()
	}
	return nil
}

// platformSet is the data set of the demonstration, in which the platform's
// access point is the one behind the country's data services.
func platformSet(d partner.Data, me partner.Peer) *cs.DataSet {
	set := seed.DataSet()
	part := *set.Contributions[d.Country]
	part.AccessServices = slices.Clone(part.AccessServices)
	part.Providers = slices.Clone(part.Providers)
	for i := range part.AccessServices {
		old := part.AccessServices[i].Identifier
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
