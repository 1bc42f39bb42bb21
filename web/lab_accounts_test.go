package web

import (
	"errors"
	"strings"
	"testing"

	"github.com/once-only/oots/exchange"
	pj "github.com/once-only/oots/projectathon"
)

func TestTheListOfAccounts(t *testing.T) {
	list, err := NewLabAccounts([]LabAccount{
		{Group: "monitors-at", Party: "monitor:AT-*", Post: "monitor", Country: "AT", Supplies: []string{"FI"}, Expertise: []string{"eID"}},
		{Group: "everybody", Party: "team:FI/*", Post: "contact", Country: "FI"},
		{Identifier: "u1", Party: "manager:m1", Post: "manager"},
		{Identifier: "u2", Party: "coordinator:EL", Post: "coordinator", Country: "EL"},
	}, []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	who := func(source, id string, groups ...string) pj.Account {
		t.Helper()
		a, err := list(t.Context(), &SignedIn{Groups: groups, Identity: exchange.Identity{Source: source, Identifier: id}})
		if err != nil && !errors.Is(err, ErrNoAccount) {
			t.Fatal(err)
		}
		return a
	}
	if a := who("idp", "u1", "monitors-at"); a.Party != "manager:m1" || a.Post != pj.Manager {
		t.Errorf("a person's row comes first: %+v", a)
	}
	first, second, elsewhere := who("idp", "u8", "everybody", "monitors-at"), who("idp", "u9", "monitors-at"), who("other", "u9", "monitors-at")
	if first.Post != pj.Monitor || first.Country != "AT" || len(first.Supplies) != 1 || !strings.HasPrefix(first.Party, "monitor:AT-") || len(first.Party) != len("monitor:AT-")+12 || strings.Contains(first.Party, "u8") {
		t.Errorf("of two groups the first row counts: %+v", first)
	}
	if first.Party == second.Party || second.Party == elsewhere.Party || who("idp", "u9", "monitors-at").Party != second.Party {
		t.Errorf("signs: %s %s %s", first.Party, second.Party, elsewhere.Party)
	}
	for _, a := range []pj.Account{who("idp", "u7"), who("idp", "u7", "nobody"), who("idp", "", "everybody")} {
		if a.Post != "" {
			t.Errorf("somebody unknown is %+v", a)
		}
	}
	good := LabAccount{Identifier: "u1", Party: "monitor:AT-1", Post: "monitor", Country: "AT"}
	for want, bend := range map[string]func(*LabAccount){
		"an identifier or a group":     func(a *LabAccount) { a.Identifier = "" },
		"and not both":                 func(a *LabAccount) { a.Group = "g" },
		"does not exist":               func(a *LabAccount) { a.Post = "judge" },
		"country":                      func(a *LabAccount) { a.Country = "GR" },
		`begins with "monitor:"`:       func(a *LabAccount) { a.Party = "team:AT/1" },
		"ends in *":                    func(a *LabAccount) { a.Party = "monitor:*" },
		"party":                        func(a *LabAccount) { a.Party = "monitor:Anna Müller" },
		"supplies":                     func(a *LabAccount) { a.Supplies = []string{"Finland"} },
		`begins with "commission:"`:    func(a *LabAccount) { a.Post = "reviewer" },
		`begins with "coordinator:AT"`: func(a *LabAccount) { a.Post, a.Party = "coordinator", "coordinator:FI" },
		"public":                       func(a *LabAccount) { a.Post = "public" },
	} {
		a := good
		bend(&a)
		if _, err := NewLabAccounts([]LabAccount{a}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v, not %q", a, err, want)
		}
	}
	for _, rows := range [][]LabAccount{nil, {good, good}, {good, {Identifier: "u2", Party: good.Party, Post: "monitor", Country: "AT"}}} {
		if _, err := NewLabAccounts(rows, nil); err == nil {
			t.Errorf("%+v is taken", rows)
		}
	}
}
