package testbed

import (
	"context"
	"fmt"
	"time"

	"github.com/once-only/oots/as4"
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
	const platformHost, practiceHost = "platform.test.example", "practice.test.example"
	me, err := partner.NewParty(party(PlatformName, platformHost, PracticeName, practiceHost))
	if err != nil {
		return nil, err
	}
	data := partner.DefaultData()
	system, err := partner.NewPractice(partner.PracticeConfig{PartyConfig: party(PracticeName, practiceHost, PlatformName, platformHost),
		Fault: c.Fault, Temper: c.Temper, Data: data, Judge: c.Judge})
	if err != nil {
		return nil, err
	}
	wire.Serve(platformHost, me)
	wire.Serve(practiceHost, system)
	r := &Runner{Catalogue: c.Catalogue, Line: c.Line, Platform: &partner.Platform{Party: me}, Clock: clock, NewID: c.NewID, Judge: c.Judge,
		Target: Target{Name: "practice system", Country: "FI", Version: "1", Mode: "automated", Peer: system.Peer(), Data: data, Browser: client,
			Settle: func(ctx context.Context) (bool, error) { return system.Settle(ctx) }}}
	return r, nil
}
