package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/commonservices/seed"
	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/projectathon"
)

// LabAccount is a row of the list of who may do what: one person, by the
// identifier that the identity provider gives, or everybody of a group.
type LabAccount struct {
	Identifier string `toml:"identifier"`
	Group      string `toml:"group"`
	// Party is the account's sign in ledger and trail, never a person's name:
	// "monitor:AT-7f3a". That of a group ends in "*", in place of which each
	// member gets a sign of its own.
	Party     string   `toml:"party"`
	Post      string   `toml:"post"`
	Country   string   `toml:"country"`   // of a team or coordinator; of a monitor's employer
	Systems   []string `toml:"systems"`   // that a contact operates; none: all of the country
	Supplies  []string `toml:"supplies"`  // countries that a monitor's employer supplies
	Expertise []string `toml:"expertise"` // of a monitor
}

// classes are how the party of a post begins; %s is the country.
var classes = map[projectathon.Post]string{projectathon.Coordinator: "coordinator:%s", projectathon.Contact: "team:%s/", projectathon.Monitor: "monitor:",
	projectathon.Manager: "manager:", projectathon.Reviewer: "commission:", projectathon.Auditor: "commission:"}

func (a LabAccount) wrong() string {
	class, known := classes[projectathon.Post(a.Post)]
	own := strings.Contains(class, "%s")
	if own {
		class = fmt.Sprintf(class, a.Country)
	}
	star := strings.HasSuffix(a.Party, "*")
	switch {
	case (a.Identifier == "") == (a.Group == ""):
		return "name an identifier or a group, and not both"
	case !known:
		return fmt.Sprintf("the post %q does not exist; there are coordinator, contact, manager, monitor, reviewer and auditor", a.Post)
	case (own || a.Post == string(projectathon.Monitor)) && ledger.CountryError(a.Country) != "":
		return "country: " + ledger.CountryError(a.Country)
	case !strings.HasPrefix(a.Party, class):
		return fmt.Sprintf("the party of a %s begins with %q, not as %q", a.Post, class, a.Party)
	case star != (a.Group != "") && a.Post != string(projectathon.Coordinator):
		return fmt.Sprintf("the party %q: that of a group ends in *, that of one person does not", a.Party)
	case ledger.PartyError(strings.Replace(a.Party, "*", "0", 1)) != "":
		return "party: " + ledger.PartyError(strings.Replace(a.Party, "*", "0", 1))
	}
	for _, cc := range a.Supplies {
		if why := ledger.CountryError(cc); why != "" {
			return "supplies: " + why
		}
	}
	return ""
}

// NewLabAccounts checks a list and reads it as Accounts. A row of a person comes
// before those of groups; of several groups, the first row counts. The key makes
// the signs of a group's members, so that a sign does not tell who it is.
func NewLabAccounts(rows []LabAccount, key []byte) (Accounts, error) {
	taken := map[string]int{}
	for i, a := range rows {
		if why := a.wrong(); why != "" {
			return nil, fmt.Errorf("account %d: %s", i+1, why)
		}
		for _, name := range []string{"identifier " + a.Identifier, "party " + a.Party} {
			if other, known := taken[name]; known && a.Identifier != "" {
				return nil, fmt.Errorf("account %d: the %s stands in account %d already", i+1, name, other+1)
			}
			taken[name] = i
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("the list of accounts is empty, so nobody could sign in")
	}
	return func(_ context.Context, who *SignedIn) (projectathon.Account, error) {
		i := slices.IndexFunc(rows, func(a LabAccount) bool { return who.Identifier != "" && a.Identifier == who.Identifier })
		if i < 0 {
			i = slices.IndexFunc(rows, func(a LabAccount) bool { return a.Group != "" && slices.Contains(who.Groups, a.Group) })
		}
		if i < 0 || who.Identifier == "" {
			return projectathon.Account{}, ErrNoAccount
		}
		a := rows[i]
		if sign, star := strings.CutSuffix(a.Party, "*"); star {
			h := hmac.New(sha256.New, key)
			fmt.Fprintf(h, "party\n%s\n%s", who.Source, who.Identifier)
			a.Party = sign + hex.EncodeToString(h.Sum(nil)[:6])
		}
		return projectathon.Account{Party: a.Party, Post: projectathon.Post(a.Post), Country: a.Country, Systems: a.Systems, Supplies: a.Supplies, Expertise: a.Expertise}, nil
	}, nil
}

// TestPeople are people of the test identity provider for the persons of a
// list: they are called as their accounts.
func TestPeople(rows []LabAccount) (out []seed.Person) {
	for _, a := range rows {
		if a.Identifier != "" {
			out = append(out, seed.Person{Role: "natural", Given: a.Post, Family: a.Party, Born: "1980-01-01", Level: "High", Identifier: a.Identifier, Country: a.Country})
		}
	}
	return out
}
