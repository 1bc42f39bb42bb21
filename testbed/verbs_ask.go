package testbed

import (
	"context"
	"fmt"
	"regexp"

	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/testbed/partner"
)

func checkDirectory(_ *Case, args []string) string {
	if partner.FindMisbehaviour(args[0]) == nil && changeOf(args[0]) == nil {
		return fmt.Sprintf("no way to answer is called %q (oots test list --directory shows them)", args[0])
	}
	return ""
}

func doDirectory(_ context.Context, p *player, args []string) verdict {
	if p.Platform == nil || p.Platform.Directories == nil {
		return verdict{Unsupported, "the platform has no directories for this target"}
	}
	if change := changeOf(args[0]); change != nil {
		if err := p.Platform.Directories.Change(change(&p.Target.Data)); err != nil {
			return broken("%v", err)
		}
		return pass("the data were changed")
	}
	p.Platform.Directories.Behave(partner.FindMisbehaviour(args[0]))
	return pass("%s", args[0])
}

// Way is how the platform's directories, or its DNS, may answer.
type Way struct{ Verb, Name, About string }

// changes are ways of the directories that are no misbehaviour: their data
// become others.
var changes = []struct {
	Way
	change func(*partner.Data) func(*cs.DataSet) *cs.DataSet
}{
	{Way{"directory", "changed", "the country's procedures are gone"}, withoutProcedures},
	{Way{"directory", "asking", "the user must say where to look before a provider is named"}, (*partner.Data).Asking},
}

func changeOf(name string) func(*partner.Data) func(*cs.DataSet) *cs.DataSet {
	for _, c := range changes {
		if c.Name == name {
			return c.change
		}
	}
	return nil
}

// Ways are all that the verbs directory and names take.
func Ways() (out []Way) {
	for _, m := range partner.Misbehaviours {
		out = append(out, Way{"directory", m.Name, m.About})
	}
	for _, c := range changes {
		out = append(out, c.Way)
	}
	for _, m := range partner.NameModes {
		out = append(out, Way{"names", m.Name, m.About})
	}
	return out
}

// withoutProcedures takes away a country's procedures: its data have changed.
func withoutProcedures(d *partner.Data) func(*cs.DataSet) *cs.DataSet {
	return func(set *cs.DataSet) *cs.DataSet {
		part := *set.Contributions[d.Country]
		part.Frameworks = nil
		return set.With(&part)
	}
}

func checkNames(_ *Case, args []string) string {
	for _, m := range partner.NameModes {
		if m.Name == args[0] {
			return ""
		}
	}
	return fmt.Sprintf("the DNS has no way called %q", args[0])
}

func doNames(_ context.Context, p *player, args []string) verdict {
	if p.Platform == nil || p.Platform.Names == nil {
		return verdict{Unsupported, "the platform has no DNS server for this target"}
	}
	p.Platform.Names.Behave(args[0])
	return pass("%s", args[0])
}

func doAsked(_ context.Context, p *player, args []string) verdict {
	if p.Platform == nil || p.Platform.Directories == nil {
		return verdict{Unsupported, "the platform has no directories for this target"}
	}
	found := ""
	if args[0] == "name" {
		if p.Platform.Names == nil {
			return verdict{Unsupported, "the platform has no DNS server for this target"}
		}
		names := p.Platform.Names.Asked()
		if len(names) == 0 {
			return fail("no DNS name was asked for")
		}
		found = names[len(names)-1]
	} else {
		all := p.Platform.Directories.Asked()
		if len(all) == 0 {
			return fail("no query came")
		}
		found = all[len(all)-1].Value(args[0])
	}
	switch {
	case len(args) == 2 && args[1] == "absent":
		if found != "" {
			return fail("%s is %s", args[0], found)
		}
	case len(args) == 3:
		want, err := draft.Fill(args[2], p.values)
		if err != nil {
			return broken("%v", err)
		}
		ok := found == want
		if args[1] == "like" {
			re, err := regexp.Compile(want)
			if err != nil {
				return broken("%v", err)
			}
			ok = re.MatchString(found)
		}
		if !ok {
			return fail("%s is %q, expected %s", args[0], found, want)
		}
	case found == "":
		return fail("the query has no %s", args[0])
	}
	return pass("%s", found)
}

func doQueries(_ context.Context, p *player, args []string) verdict {
	if p.Platform == nil || p.Platform.Directories == nil {
		return verdict{Unsupported, "the platform has no directories for this target"}
	}
	n := len(p.Platform.Directories.Asked())
	if !amount(args[0], n) {
		return fail("%d queries came", n)
	}
	return pass("%d", n)
}
