package exchange

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/once-only/oots/sdg"
)

func TestNamesMeetAcrossRegisters(t *testing.T) {
	for a, b := range map[string]string{"Müller": "MULLER", "O'Neill": "Oneill", "Nguyễn Thị": "nguyen thi", "Jean-Luc": "Jean Luc", "Παπαδόπουλος": "ΠΑΠΑΔΟΠΟΥΛΟΣ", "Groß": "GROSS"} {
		if x, y := plain(a), plain(b); x != y {
			t.Errorf("%s is %q, %s is %q", a, x, b, y)
		}
	}
	for id, want := range map[string]string{"FI/NL/DEMO-1": "FI/DEMO-1", "fi/pt/demo-1": "FI/DEMO-1", "FI/NL/A/B": "FI/A/B", "plain": "PLAIN"} {
		if got := eidasPerson(id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
}

func TestMatchingNeverTakesTwo(t *testing.T) {
	word := rapid.SampledFrom([]string{"Alpha", "alpha", "Beta", ""})
	born := rapid.SampledFrom([]string{"1999-04-17", "1985-09-02"})
	id := rapid.SampledFrom([]string{"", "FI/NL/1", "FI/PT/1", "FI/NL/2"})
	someone := func(t *rapid.T, what string) Subject {
		p := &sdg.Person{FamilyName: word.Draw(t, what+" family"), GivenName: word.Draw(t, what+" given"), DateOfBirth: born.Draw(t, what+" born")}
		if v := id.Draw(t, what+" id"); v != "" {
			p.Identifier = &sdg.Identifier{Value: v}
		}
		return Subject{NaturalPerson: p}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := Matching{IdentifierAlone: rapid.Bool().Draw(t, "identifier alone")}
		wanted := someone(t, "wanted")
		var all []Record
		for range rapid.IntRange(0, 6).Draw(t, "records") {
			all = append(all, Record{Holder: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "holder"), Subject: someone(t, "holder")})
		}
		holders := map[string]bool{}
		matching := 0
		for _, r := range all {
			if p.same(wanted, r.Subject) {
				holders[r.Holder] = true
				matching++
				if r.Subject.NaturalPerson.DateOfBirth != wanted.NaturalPerson.DateOfBirth {
					t.Fatal("another date of birth matches")
				}
			}
			if p.same(wanted, r.Subject) != p.same(r.Subject, wanted) {
				t.Fatal("matching has a direction")
			}
		}
		got := p.unique(wanted, all)
		if len(holders) == 1 && len(got) != matching || len(holders) != 1 && len(got) != 0 {
			t.Fatalf("%d holders match, %d records are taken", len(holders), len(got))
		}
	})
}

func FuzzModel(f *testing.F) {
	m := &Model{Name: "M", Root: "a", Fields: []Field{{Path: "b/c"}, {Path: "d", Type: DateField, Optional: true}, {Path: "e", Type: NumberField, Optional: true, Repeated: true}}}
	for _, seed := range []string{"<a><b><c>x</c></b></a>", `{"b":{"c":"x"},"d":"2018-06-02","e":[1,2]}`, "<a/>", `{"b":[{"c":1},{"c":2}]}`, "[[["} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, media := range []string{"application/xml", "application/json"} {
			values, err := m.Read(media, data)
			if err == nil && (len(values) == 0 || values[0].Field.Path != "b/c" || values[0].Text == "") {
				t.Errorf("accepted without what it needs: %v", values)
			}
		}
	})
}

func FuzzVault(f *testing.F) {
	v, err := newVault(make([]byte, KeySize))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("sealed"), []byte{1})
	f.Fuzz(func(t *testing.T, plain, change []byte) {
		sealed := v.seal("a", plain)
		if back, err := v.open("a", sealed); err != nil || string(back) != string(plain) {
			t.Error("what was sealed does not open")
		}
		if _, err := v.open("b", sealed); err == nil {
			t.Error("it opens as something else")
		}
		for i, c := range change {
			if c != 0 && i < len(sealed) {
				sealed[i] ^= c
				if _, err := v.open("a", sealed); err == nil {
					t.Error("changed octets open")
				}
				return
			}
		}
	})
}
