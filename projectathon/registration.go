package projectathon

import (
	"fmt"
	"slices"
)

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
