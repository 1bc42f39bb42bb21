package testbed

import (
	"context"
	"slices"
	"strings"
)

// asksDirectories tells whether a case rests on what the target asks of the
// platform's directories.
func (c *Case) asksDirectories() bool {
	return slices.ContainsFunc(c.Steps, func(s Step) bool {
		return slices.Contains([]string{"directory", "names", "asked", "queries"}, s.Verb) ||
			s.Verb == "agree" && slices.ContainsFunc(s.Args, func(rule string) bool { return strings.HasPrefix(rule, "X-4") }) || s.Verb == "do" && s.Args[0] == "query"
	})
}

// forget has the target drop what it keeps of directories before such a case,
// since an answer kept from the case before tells nothing (TDD 3.4: clients
// should keep answers for a while). Not every system can be told.
func (p *player) forget(ctx context.Context) {
	if p.k.asksDirectories() {
		out, err := p.Target.drive(ctx, Order{Do: "forget"})
		p.fresh = err == nil && out.State == "done"
	}
}

// fromCache tells whether the target may have answered from what it keeps:
// nobody asked, and it did not say that it forgot.
func (p *player) fromCache() bool {
	return p.k.asksDirectories() && !p.fresh && p.Platform != nil && p.Platform.Directories != nil && len(p.Platform.Directories.Asked()) == 0 &&
		(p.Platform.Names == nil || len(p.Platform.Names.Asked()) == 0)
}
