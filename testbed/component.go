package testbed

import (
	"slices"

	"github.com/once-only/oots/ledger"
)

// Component is a part of a system that suites prove: the roles of cases that
// put it to the test, and the suites of which it needs every case of its roles.
type Component struct {
	Code   string
	Side   ledger.Role // in the ledger; empty for a part that serves both
	Roles  []string    // of Roles
	Suites []string
}

// Components are all of them (testing-events.md §3), with the suites that the
// criteria ask for and others of which some case is for their role. Suites overlap: one playing of EP-SIM proves DS and PRV.
var Components = []Component{
	{"AP", "", []string{"access-point"}, []string{"AS4-CONN", "AS4-PROF"}},
	{"CSQ", ledger.Requester, []string{"directory-client"}, []string{"CS-QRY-EB", "CS-QRY-DSD", "CS-DISC", "CS-SIG", "CS-VER"}},
	{"ER", ledger.Requester, []string{"evidence-requester"}, []string{"EDM-MSG", "EDM-XVAL", "ER-SIM"}},
	{"PP", ledger.Requester, []string{"evidence-requester"}, []string{"ER-SIM"}},
	{"EID-R", ledger.Requester, []string{"identity-requester"}, []string{"EID"}},
	{"DS", ledger.Provider, []string{"evidence-provider"}, []string{"EDM-MSG", "EDM-XVAL", "EP-SIM"}},
	{"PRV", ledger.Provider, []string{"evidence-provider"}, []string{"AS4-CONN", "EP-SIM"}},
	{"EID-P", ledger.Provider, []string{"identity-provider"}, []string{"EID"}},
	{"BR", ledger.Provider, nil, nil},
	{"MD", "", []string{"metadata-updater"}, []string{"EDM-MSG", "LCM"}},
	{"LOG", "", []string{"log"}, []string{"LOG"}},
	{"CSI", "", []string{"directory", "metadata-registry"}, []string{"CS-QRY-EB", "CS-QRY-DSD", "CS-SIG", "CS-VER", "EDM-MSG", "LCM"}},
}

// FindComponent finds a component by its code, nil for none.
func FindComponent(code string) *Component {
	if i := slices.IndexFunc(Components, func(c Component) bool { return c.Code == code }); i >= 0 {
		return &Components[i]
	}
	return nil
}

// Codes are the codes of all components.
func Codes() (codes []string) {
	for _, c := range Components {
		codes = append(codes, c.Code)
	}
	return codes
}

// ProvenBy are the codes of the components to which cases count.
func ProvenBy(cases []*Case) (codes []string) {
	for _, c := range Components {
		if slices.ContainsFunc(cases, func(k *Case) bool { return slices.Contains(c.Suites, k.Suite) && slices.Contains(c.Roles, k.Role) }) {
			codes = append(codes, c.Code)
		}
	}
	return codes
}

// RolesOf are the roles of cases that components of these codes play.
func RolesOf(codes []string) (roles []string) {
	for _, c := range Components {
		for _, role := range c.Roles {
			if slices.Contains(codes, c.Code) && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// componentFor is the component of a report to which a case counts: the first
// of its codes that plays the role.
func componentFor(codes []string, role string) *Component {
	for i := range Components {
		if c := &Components[i]; slices.Contains(codes, c.Code) && slices.Contains(c.Roles, role) {
			return c
		}
	}
	return nil
}
