package projectathon

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// RegistrationState is how far a registration has come.
type RegistrationState string

const (
	Submitted RegistrationState = "submitted"
	Endorsed  RegistrationState = "endorsed" // by the national coordinator
	Admitted  RegistrationState = "accepted" // by the event's manager
	Withdrawn RegistrationState = "withdrawn"
)

// Registration is a system that takes part in an event.
type Registration struct {
	ID           string // event, colon, system
	Event        string
	System       string // begins with the country's code: FI_portal
	Country      string
	Capabilities []Capability
	Lines        []string // specification lines that it speaks
	Mode         string   // manual, test-tool or automated
	Cases        []string // that it can play; none means all
	Capacity     int      // tests at the same time; 0 means 1
	Absent       []int    // slots in which it is not there
	Zone         int      // hours from Brussels
	Newcomer     bool
	State        RegistrationState
}

// Incomplete says what a registration still lacks.
type Incomplete struct{ Problems []string }

func (e *Incomplete) Error() string { return strings.Join(e.Problems, "; ") }

var systemName = regexp.MustCompile(`^[A-Z]{2}_[A-Za-z0-9_-]{1,40}$`)

// check returns what stands in the way of submitting it.
func (r *Registration) check(e Event) []string {
	var problems []string
	if !systemName.MatchString(r.System) || !strings.HasPrefix(r.System, r.Country+"_") {
		problems = append(problems, fmt.Sprintf("%q: a system's name begins with the country's code, as in %s_portal", r.System, r.Country))
	}
	if !slices.Contains(r.Lines, e.Line) {
		problems = append(problems, fmt.Sprintf("the event tests %s, which the system does not speak", e.Line))
	}
	if !slices.Contains([]string{"manual", "test-tool", "automated"}, r.Mode) {
		problems = append(problems, fmt.Sprintf("%q is no way of working; give manual, test-tool or automated", r.Mode))
	}
	return append(problems, CheckCapabilities(r.Capabilities)...)
}

// Roles are the roles that the claimed capabilities give.
func (r *Registration) Roles() (roles []Role) {
	for _, c := range r.Capabilities {
		role := map[string]Role{"evidence requester": Requester, "data service": Provider}[c.Actor]
		if role != "" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// advance moves it on: submitted, endorsed, accepted; withdrawn from any.
func (r *Registration) advance(to RegistrationState) error {
	before := map[RegistrationState]RegistrationState{Endorsed: Submitted, Admitted: Endorsed}
	if to != Withdrawn && before[to] != r.State || r.State == Withdrawn {
		return fmt.Errorf("a registration that is %s cannot become %s: the coordinator endorses it first, then the manager accepts it", r.State, to)
	}
	r.State = to
	return nil
}

// Capability is what a system claims to be able to do: a profile, an actor in
// it, and an option.
type Capability struct {
	Profile, Actor, Option string
}

func (c Capability) String() string {
	if c.Option == "" {
		return c.Profile + ": " + c.Actor
	}
	return c.Profile + ": " + c.Actor + ", " + c.Option
}

// Capabilities are those that a system may claim.
var Capabilities = []Capability{
	{"eIDAS", "identity requester", "notified scheme"},
	{"eIDAS", "identity requester", "other scheme accepted by the provider"},
	{"eIDAS", "eIDAS node", ""},
	{"evidence exchange", "Common Services query client", ""},
	{"evidence exchange", "Evidence Broker", "own instance"},
	{"evidence exchange", "Data Service Directory", "own instance"},
	{"evidence exchange", "evidence requester", ""},
	{"evidence exchange", "data service", "with preview"},
	{"evidence exchange", "data service", "without preview"},
	{"metadata management", "metadata updater", ""},
	{"metadata management", "metadata registry", "LCM"},
}

// dependency is a rule of the registration form: who claims If must also claim
// Needs. An empty actor or option stands for any.
type dependency struct {
	If    Capability
	Needs []Capability
}

var dependencies = []dependency{
	{If: Capability{"evidence exchange", "evidence requester", ""}, Needs: []Capability{
		{"eIDAS", "identity requester", "notified scheme"}, {"evidence exchange", "Common Services query client", ""}}},
	{If: Capability{"evidence exchange", "data service", "with preview"}, Needs: []Capability{{"metadata management", "", ""}}},
	{If: Capability{"evidence exchange", "data service", "without preview"}, Needs: []Capability{{"metadata management", "", ""}}},
	{If: Capability{"eIDAS", "identity requester", ""}, Needs: []Capability{{"eIDAS", "eIDAS node", ""}}},
	{If: Capability{"evidence exchange", "Evidence Broker", "own instance"}, Needs: []Capability{{"metadata management", "metadata registry", "LCM"}}},
	{If: Capability{"evidence exchange", "Data Service Directory", "own instance"}, Needs: []Capability{{"metadata management", "metadata registry", "LCM"}}},
}

// matches tells whether a claimed capability is the one that a rule speaks of.
func (c Capability) matches(rule Capability) bool {
	return c.Profile == rule.Profile && (rule.Actor == "" || c.Actor == rule.Actor) && (rule.Option == "" || c.Option == rule.Option)
}

// CheckCapabilities returns what still stands in the way of a registration, one
// sentence each; none means that it may be submitted.
func CheckCapabilities(claimed []Capability) []string {
	var problems []string
	has := func(rule Capability) bool {
		return slices.ContainsFunc(claimed, func(c Capability) bool { return c.matches(rule) })
	}
	for _, c := range claimed {
		if !slices.Contains(Capabilities, c) {
			problems = append(problems, fmt.Sprintf("%q is not a capability of the list", c))
		}
	}
	for _, rule := range dependencies {
		if !has(rule.If) {
			continue
		}
		for _, needed := range rule.Needs {
			if !has(needed) {
				what := needed.String()
				if needed.Actor == "" {
					what = "one actor of " + needed.Profile
				}
				problems = append(problems, fmt.Sprintf("%q also needs %q", rule.If, what))
			}
		}
	}
	if len(claimed) == 0 {
		problems = append(problems, "claim at least one capability")
	}
	return problems
}
