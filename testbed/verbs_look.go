package testbed

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
)

func doValid(_ context.Context, p *player, args []string) verdict {
	name, header := strings.CutSuffix(args[0], ".header")
	m := p.mail[name]
	if m == nil {
		return broken("no message of this run is called %q", name)
	}
	src, opt := m.Body(), validator.Options{Name: name}
	if header {
		src, opt.Kind = m.Envelope, validator.EBMSHeader
		opt.Line = validator.ParseLine(p.Line)
	}
	report := p.Judge.Validate(src, opt)
	refusing, warnings, _ := report.Count()
	if refusing > 0 {
		f := report.Findings[0]
		return fail("%s, line %d: found %s, expected %s. %s", f.Rule, f.Line, f.Found, f.Expected, f.Mend)
	}
	for _, rule := range args[1:] {
		if !slices.Contains(report.Passed, rule) && !report.Has(rule) {
			return fail("%s was not judged: the message has nothing that it is about", rule)
		}
	}
	if warnings > 0 {
		for _, f := range report.Findings {
			if f.Severity == validator.Warning && !f.Advice {
				return verdict{Warnings, fmt.Sprintf("%s, line %d: expected %s", f.Rule, f.Line, f.Expected)}
			}
		}
	}
	return pass("%d rules passed", len(report.Passed))
}

func doAgree(_ context.Context, p *player, args []string) verdict {
	var messages []*validator.Message
	var known validator.Related
	for _, m := range p.seen()[p.from:] {
		body := p.Judge.Validate(m.Body(), validator.Options{})
		header := p.Judge.Validate(m.Envelope, validator.Options{Kind: validator.EBMSHeader})
		if body.Message != nil && header.Message != nil {
			messages, known.Headers = append(messages, body.Message), append(known.Headers, header.Message)
		}
	}
	for _, raw := range p.Platform.Answers() {
		if r := p.Judge.Validate(raw, validator.Options{}); r.Message != nil {
			known.Directory = append(known.Directory, r.Message)
		}
	}
	var judged []string
	warned := ""
	for _, c := range validator.Assemble(messages, known) {
		report := p.Judge.Compare(c)
		for _, f := range report.Findings {
			if f.Refuses() {
				return fail("%s: found %s, expected %s. %s", f.Rule, f.Found, f.Expected, f.Mend)
			}
			if f.Severity == validator.Warning {
				warned = fmt.Sprintf("%s: found %s, expected %s", f.Rule, f.Found, f.Expected)
				if slices.Contains(args, f.Rule) {
					return fail("%s", warned)
				}
			}
		}
		judged = append(judged, report.Passed...)
	}
	for _, rule := range args {
		if !slices.Contains(judged, rule) {
			return fail("%s was not judged: the messages give no occasion", rule)
		}
	}
	if warned != "" {
		return verdict{Warnings, warned}
	}
	return pass("%d checks between messages passed", len(judged))
}

func checkHave(_ *Case, args []string) string {
	if err := draft.CheckPath(args[1]); err != nil {
		return err.Error()
	}
	if len(args) == 2 {
		return ""
	}
	if len(args) != 4 || args[2] != "is" && args[2] != "like" {
		return "after the path write is VALUE or like REGEX"
	}
	if args[2] == "like" {
		if _, err := regexp.Compile(args[3]); err != nil {
			return fmt.Sprintf("%q is no regular expression", args[3])
		}
	}
	return ""
}

// some is find, where nothing found is an error.
func (p *player) some(name, path string) ([]string, error) {
	found, err := p.find(name, path)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has no %s", name, path)
	}
	return found, err
}

func doHave(_ context.Context, p *player, args []string) verdict {
	found, err := p.some(args[0], args[1])
	switch {
	case err != nil:
		return fail("%v", err)
	case len(args) == 2:
		return pass("%s", found[0])
	}
	want, err := draft.Fill(args[3], p.values)
	if err != nil {
		return broken("%v", err)
	}
	ok := slices.Contains(found, want)
	if args[2] == "like" {
		re, err := regexp.Compile(want)
		if err != nil {
			return broken("%v", err)
		}
		ok = slices.ContainsFunc(found, re.MatchString)
	}
	if !ok {
		return fail("found %s, expected %s", strings.Join(found, ", "), want)
	}
	return pass("%s", want)
}

func doLack(_ context.Context, p *player, args []string) verdict {
	found, err := p.find(args[0], args[1])
	switch {
	case err != nil:
		return fail("%v", err)
	case len(found) > 0:
		return fail("%s has %s: %s", args[0], args[1], strings.Join(found, ", "))
	}
	return pass("not there")
}

func checkCount(_ *Case, args []string) string {
	if _, ok := number(args[2]); !ok {
		return fmt.Sprintf("%q is no number", args[2])
	}
	return checkHave(nil, args[:2])
}

func doCount(_ context.Context, p *player, args []string) verdict {
	n, _ := number(args[2])
	found, err := p.find(args[0], args[1])
	switch {
	case err != nil:
		return fail("%v", err)
	case len(found) != n:
		return fail("there are %d", len(found))
	}
	return pass("%d", n)
}

func checkSame(_ *Case, args []string) string {
	if why := checkHave(nil, args[:2]); why != "" {
		return why
	}
	return checkHave(nil, args[2:])
}

func (p *player) both(args []string) (a, b string, v verdict) {
	one, err := p.find(args[0], args[1])
	two, err2 := p.find(args[2], args[3])
	switch {
	case err != nil || err2 != nil:
		return "", "", fail("%v", errors.Join(err, err2))
	case len(one) == 0:
		return "", "", fail("%s has no %s", args[0], args[1])
	case len(two) == 0:
		return "", "", fail("%s has no %s", args[2], args[3])
	}
	return strings.Join(one, " "), strings.Join(two, " "), pass("")
}

func doSame(_ context.Context, p *player, args []string) verdict {
	a, b, v := p.both(args)
	if v.Result == Pass && a != b {
		return fail("one says %s, the other %s", a, b)
	}
	return v
}

func doDiffer(_ context.Context, p *player, args []string) verdict {
	a, b, v := p.both(args)
	if v.Result == Pass && a == b {
		return fail("both say %s", a)
	}
	return v
}

func doFiles(_ context.Context, p *player, args []string) verdict {
	m := p.mail[args[0]]
	if m == nil {
		return broken("no message of this run is called %q", args[0])
	}
	n := len(m.Files) - 1
	if !amount(args[1], n) {
		return fail("%d documents travel with it", n)
	}
	for _, want := range args[2:] {
		if !slices.ContainsFunc(m.Files[1:], func(f partner.File) bool { return f.Type == want }) {
			return fail("no document has the type %s", want)
		}
	}
	for _, f := range m.Files[1:] {
		if begin := beginnings[f.Type]; begin != "" && !strings.HasPrefix(string(f.Data), begin) {
			return fail("X-08: a document of the type %s does not begin like one", f.Type)
		}
	}
	return pass("%d documents", n)
}

// checkAmount wants N or N+ among the arguments.
func checkAmount(at int) func(*Case, []string) string {
	return func(_ *Case, args []string) string {
		_, ok := number(strings.TrimSuffix(args[at], "+"))
		return need(ok, fmt.Sprintf("%q is no number such as 3, or 3+ for three or more", args[at]))
	}
}

// amount tells whether there are as many as the word says: 3, or 3+ for three
// or more.
func amount(word string, n int) bool {
	least, more := strings.CutSuffix(word, "+")
	want, _ := number(least)
	return n == want || more && n > want
}

// beginnings are the first octets of a document, by its type.
var beginnings = map[string]string{"application/pdf": "%PDF-", "application/xml": "<", "image/png": "\x89PNG"}

func doClock(_ context.Context, p *player, args []string) verdict {
	m := p.mail[args[0]]
	limit, ok := span(args[1])
	if m == nil || !ok {
		return broken("write clock NAME 2s")
	}
	// It was stamped before it came.
	off := m.At.Sub(m.Header.Timestamp).Abs()
	if off > limit {
		return fail("its clock is %s off", off.Round(1e6))
	}
	return pass("%s off", off.Round(1e6))
}

func doEvery(_ context.Context, p *player, args []string) verdict {
	found, err := p.some(args[0], args[1])
	if err != nil {
		return fail("%v", err)
	}
	want, err := draft.Fill(args[3], p.values)
	if err != nil {
		return broken("%v", err)
	}
	re, err := regexp.Compile(want)
	if err != nil {
		return broken("%v", err)
	}
	for _, v := range found {
		if !re.MatchString(v) {
			return fail("found %s, expected %s", v, want)
		}
	}
	return pass("%d", len(found))
}

func checkRefers(_ *Case, args []string) string {
	if why := checkHave(nil, args[:2]); why != "" {
		return why
	}
	return checkHave(nil, []string{args[0], args[2]})
}

func doRefers(_ context.Context, p *player, args []string) verdict {
	from, err := p.some(args[0], args[1])
	to, err2 := p.find(args[0], args[2])
	if err := errors.Join(err, err2); err != nil {
		return fail("%v", err)
	}
	for _, v := range from {
		if !slices.Contains(to, v) {
			return fail("%s leads nowhere", v)
		}
	}
	return pass("%d references", len(from))
}
