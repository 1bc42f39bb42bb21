package acceleratormeter

import (
	"time"

	"github.com/once-only/oots/ledger"
)

// Standing is where a country stands at an instant by one criteria set. It is
// computed, never stored as such and never written by hand.
type Standing struct {
	Country string    `json:"country"`
	Set     string    `json:"criteria_set"`
	At      time.Time `json:"at"`

	// Level is the headline: 1 to 6, or 0 when the country is not assessed (no
	// fact about it, AM1.1).
	Level int `json:"level"`
	// Role carries the headline; empty at level 0 and 1.
	Role ledger.Role `json:"role,omitempty"`
	// Requester and Provider are the two role standings.
	Requester RoleStanding `json:"requester"`
	Provider  RoleStanding `json:"provider"`

	// AtRisk is true when a criterion that carries the headline has lapsed and
	// is in grace. It is for the country and the Commission only.
	AtRisk     bool        `json:"at_risk,omitempty"`
	Breadth    Breadth     `json:"breadth"`
	Milestones []Milestone `json:"milestones,omitempty"`
	Blockers   []OpenItem  `json:"blockers,omitempty"`
	Sample     bool        `json:"sample,omitempty"` // at least one carrying fact is invented
}

// Of is the standing in a role.
func (s *Standing) Of(r ledger.Role) *RoleStanding {
	if r == ledger.Provider {
		return &s.Provider
	}
	return &s.Requester
}

// Lead is the role standing that carries the headline, or the requester's.
func (s *Standing) Lead() *RoleStanding { return s.Of(s.Role) }

// RoleStanding is the level of a country in one role: the highest level of which
// every criterion, and every one of the levels below, is met in this same role.
type RoleStanding struct {
	Role    ledger.Role `json:"role"`
	Level   int         `json:"level"`
	Results []Result    `json:"criteria"` // one for each criterion of the set, in its order
}

// StillNeeds are the results that keep the role from the next level.
func (r *RoleStanding) StillNeeds() []Result {
	var out []Result
	for _, c := range r.Results {
		if c.Level == r.Level+1 && c.State == Missing && !c.Optional {
			out = append(out, c)
		}
	}
	return out
}

// State of a criterion.
type State string

const (
	Met     State = "met"
	Grace   State = "grace"   // lapsed, still counts until GraceUntil
	Missing State = "missing" //
)

// Result is one criterion judged for one country and role.
type Result struct {
	Criterion string   `json:"criterion"` // id, e.g. AM3.2
	Level     int      `json:"level"`
	State     State    `json:"state"`
	Optional  bool     `json:"optional,omitempty"` // shown, holds nothing back
	Facts     []string `json:"facts,omitempty"`    // ids of the facts that carry it
	Needs     []Need   `json:"needs,omitempty"`    // what is missing, when State is missing

	LapsesAt   time.Time `json:"lapses_at,omitzero"`   // met: when the first carrying fact ends
	LapsedAt   time.Time `json:"lapsed_at,omitzero"`   // grace: when it lapsed
	GraceUntil time.Time `json:"grace_until,omitzero"` // grace: from when on it no longer counts
}

// Supplier is who can supply what is missing.
type Supplier string

const (
	ByCountry    Supplier = "member-state"
	ByCommission Supplier = "commission"
	ByPlatform   Supplier = "platform"
	ByTeams      Supplier = "teams"   // both teams of a pair, then a monitor
	ByMonitor    Supplier = "monitor" // only the verdict is missing
	ByBoth       Supplier = "both-countries"
)

// Need is one thing that is missing: a message key with its values.
type Need struct {
	Key      string            `json:"key"`
	Values   map[string]string `json:"values,omitempty"`
	Supplier Supplier          `json:"supplier"`
}

// String is the English sentence of the need.
func (n Need) String() string { return fill(needs[n.Key], n.Values) }

// OpenItem is an open blocker: details are for the country and its reviewers.
type OpenItem struct {
	Fact     string    `json:"fact"`
	Severity string    `json:"severity"`
	Owner    string    `json:"owner,omitempty"`
	Due      time.Time `json:"due,omitzero"`
}

// Breadth counts what the level ignores. It never changes the level.
type Breadth struct {
	Authorities          int      `json:"authorities"`
	RequesterAuthorities int      `json:"requester_authorities"`
	ProviderAuthorities  int      `json:"provider_authorities"`
	Procedures           int      `json:"procedures"`
	EvidenceTypes        int      `json:"evidence_types"`
	Partners             int      `json:"partners"`      // countries with at least one attested exchange
	TestPartners         int      `json:"test_partners"` // countries with at least one verified peer test
	Lines                []string `json:"lines,omitempty"`
	Activity             Activity `json:"activity"` // of the last 90 days
}

// Activity of the last 90 days in production.
type Activity string

const (
	NoActivity   Activity = "none"
	TestActivity Activity = "test"
	UserActivity Activity = "users"
)

// Milestone is a historical fact that does not vanish: a first exchange.
type Milestone struct {
	Kind    string    `json:"kind"` // first-exchange, first-user-exchange
	Country string    `json:"country"`
	Partner string    `json:"partner,omitempty"` // empty unless both countries consent: "one partner country"
	At      time.Time `json:"at"`
	Facts   []string  `json:"facts"`
	Dormant bool      `json:"dormant,omitempty"` // no such exchange in the last 90 days
}

const (
	FirstExchange     = "first-exchange"
	FirstUserExchange = "first-user-exchange"
)

// Difference is a country whose standing differs between two criteria sets, or
// two instants.
type Difference struct {
	Country string   `json:"country"`
	From    int      `json:"from"`
	To      int      `json:"to"`
	Lost    []string `json:"lost,omitempty"`   // criteria of the first that the second finds missing
	Gained  []string `json:"gained,omitempty"` // the other way round
}
