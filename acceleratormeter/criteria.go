package acceleratormeter

import (
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
)

// Criteria is a set of criteria with its policy parameters. Sets are proposals
// of this project, never the Commission's own rule.
type Criteria struct {
	ID        string      `json:"id"`        // AM-1
	Version   string      `json:"version"`   // of the set's text, e.g. 1.0
	Effective time.Time   `json:"effective"` // from when it may be official
	Title     string      `json:"title"`     // English; key "criteria.<id>"
	Policy    Policy      `json:"policy"`
	List      []Criterion `json:"criteria"`
}

// Criterion is one row of the table: what has to be shown for a level.
type Criterion struct {
	ID    string `json:"id"`    // kept across versions, never reused
	Level int    `json:"level"` // 1 to 6
	Key   string `json:"key"`   // message key
	Text  string `json:"text"`  // English, in our own words
	// Carriers are the kinds of fact that can carry it.
	Carriers []ledger.Kind `json:"carriers"`
	// Environment is the least demanding one that counts; empty: any.
	Environment ledger.Environment `json:"environment,omitempty"`
	Supplier    Supplier           `json:"supplier"`           // who can supply what is missing
	Optional    bool               `json:"optional,omitempty"` // shown, holds nothing back

	check func(*judge) // judges one country in one role
}

// Policy settles what the published wording leaves open. A zero duration means
// none.
type Policy struct {
	Lines []string `json:"lines"` // specification lines that count from level 4, e.g. oots-edm:v2.0

	// Level 3: the share of required components that must be proven, and how far
	// ahead the plan of every other one may lie. SelfDeclared counts an accepted
	// declaration as proof.
	ShareOf      [2]int `json:"component_share"` // {2, 3}: two thirds
	SelfDeclared bool   `json:"self_declared"`
	PlanMonths   int    `json:"plan_months"`

	// Level 4: distinct partner countries, and whether at least one verified
	// result must come from an event.
	Partners   int  `json:"partners"`
	EventBound bool `json:"event_bound"`
	// ConditionsCount lets a session "passed with conditions" count until its
	// deadline.
	ConditionsCount bool `json:"conditions_count"`

	// Level 5: the production system check (procedure 00) counts as first
	// exchange; otherwise only a real user's does.
	SystemCheckCounts bool `json:"system_check_counts"`
	// Tolerance is the greatest distance of the times of two attestations.
	Tolerance Span `json:"tolerance"`

	// Level 6: at least one real end-user exchange in the last ActivityDays.
	RequiresRealUser bool `json:"l6_requires_real_user"`
	ActivityDays     int  `json:"activity_days"`

	// BothRoles takes the lower of the two role levels as headline.
	BothRoles bool `json:"both_roles"`

	// Grace after a lapse, in days: of any fact, of a probe or certificate, and
	// after the declaration of a new major specification line.
	GraceDays      int `json:"grace_days"`
	ProbeGraceDays int `json:"probe_grace_days"`
	LineGraceDays  int `json:"line_grace_days"`
}

// Span is a duration that reads "10m0s" in JSON.
type Span time.Duration

func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

func (s *Span) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	*s = Span(d)
	return err
}

// Criterion finds a criterion of the set by its id.
func (c *Criteria) Criterion(id string) (Criterion, bool) {
	for _, k := range c.List {
		if k.ID == id {
			return k, true
		}
	}
	return Criterion{}, false
}

// Sets are the criteria sets that this build knows; the first is the default.
func Sets() []Criteria { return []Criteria{AM1(), AM1Strict(), AM1Lenient()} }

// FindCriteria looks a set up by id; empty means the default. Its error names
// the valid ids.
func FindCriteria(id string) (Criteria, error) {
	sets := Sets()
	if id == "" {
		return sets[0], nil
	}
	var valid []string
	for _, s := range sets {
		if strings.EqualFold(s.ID, id) {
			return s, nil
		}
		valid = append(valid, s.ID)
	}
	return Criteria{}, &Error{Code: UnknownCriteria, Found: id, Valid: valid}
}

// fill writes values into the {names} of a text.
func fill(text string, values map[string]string) string {
	for k, v := range values {
		text = strings.ReplaceAll(text, "{"+k+"}", v)
	}
	return text
}
