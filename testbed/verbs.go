package testbed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/testbed/partner"
	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/xmltree"
)

// verb is a word that a step may begin with.
type verb struct {
	usage    string
	about    string
	min, max int // arguments; max < 0: any number
	check    func(c *Case, args []string) string
	do       func(ctx context.Context, p *player, args []string) verdict
}

func verbNames() []string {
	var names []string
	for name := range verbs {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// verbs are the words of steps, with what they do.
var verbs = map[string]verb{
	"send":      {"FILE [with DEVIATION] [as NAME] [action ACTION]", "the platform sends a message over AS4", 1, 7, checkSend, doSend},
	"repeat":    {"NAME", "the platform sends that message again, octet for octet", 1, 1, nil, doRepeat},
	"signal":    {"receipt | error [CODE…] | none", "what the access point said over HTTP to the last message", 1, -1, checkSignal, doSignal},
	"ping":      {"", "a message to the test service, which is acknowledged and not delivered", 0, 0, nil, doPing},
	"expect":    {"ACTION [CODE…] [within T1] [as NAME]", "the next message that comes to the platform", 1, -1, checkExpect, doExpect},
	"nothing":   {"within T1", "no message comes", 0, 2, nil, doNothing},
	"valid":     {"NAME [RULE…]", "the message breaks no rule, and these rules were judged", 1, -1, nil, doValid},
	"agree":     {"[RULE…]", "all messages of the run agree with each other (X-…)", 0, -1, nil, doAgree},
	"have":      {"NAME PATH [is VALUE | like REGEX]", "the message says this there", 2, 4, checkHave, doHave},
	"every":     {"NAME PATH like REGEX", "whatever stands there is like this, and there is something", 4, 4, checkHave, doEvery},
	"refers":    {"NAME PATH PATH", "each value of the first path is one of the second", 3, 3, checkRefers, doRefers},
	"lack":      {"NAME PATH", "the message has nothing there", 2, 2, checkHave, doLack},
	"count":     {"NAME PATH N", "so many of it", 3, 3, checkCount, doCount},
	"same":      {"NAME PATH NAME PATH", "both say the same there", 4, 4, checkSame, doSame},
	"differ":    {"NAME PATH NAME PATH", "both say different things there", 4, 4, checkSame, doDiffer},
	"files":     {"NAME N [TYPE…]", "so many documents travel with it", 2, -1, nil, doFiles},
	"open":      {"NAME look|accept|refuse [as PERSON] [status N] [returns]", "the user follows the preview address", 2, 7, checkOpen, doOpen},
	"wait":      {"T1 | T2 | T3 | DURATION", "time passes", 1, 1, checkWait, doWait},
	"attest":    {"TEXT", "a person confirms what no machine sees", 1, -1, nil, doAttest},
	"directory": {"WAY", "the platform's directories answer so from now on", 1, 1, checkDirectory, doDirectory},
	"names":     {"WAY", "the platform's DNS answers so from now on", 1, 1, checkNames, doNames},
	"asked":     {"NAME [is VALUE | like REGEX | absent]", "the last query that came to the directories says so", 1, 3, nil, doAsked},
	"queries":   {"N", "so many queries have come", 1, 1, nil, doQueries},
	"reply":     {"FILE [as NAME] [with DEVIATION]", "the platform answers the last message that came", 1, 5, checkSend, doReply},
	"logged":    {"KEY=VALUE… | KEY", "a row of the log says so", 1, -1, nil, doLogged},
	"unlogged":  {"TEXT", "no row of the log holds this", 1, 1, nil, doUnlogged},
	"clock":     {"NAME DURATION", "the message was stamped that close to the platform's time", 2, 2, nil, doClock},
	"do":        {"ORDER [KEY=VALUE…]", "the system under test is told to act", 1, -1, nil, doOrder},
	"outcome":   {"STATE [CODE] [KEY=VALUE…]", "what the system says came of its last order", 1, -1, nil, doOutcome},
}

// options cuts "with X", "as Y" … out of arguments.
func options(args []string, names ...string) (rest []string, given map[string]string) {
	given = map[string]string{}
	for i := 0; i < len(args); i++ {
		if slices.Contains(names, args[i]) && i+1 < len(args) {
			given[args[i]] = args[i+1]
			i++
			continue
		}
		rest = append(rest, args[i])
	}
	return rest, given
}

func checkSend(c *Case, args []string) string {
	rest, given := options(args, "with", "as", "action")
	if len(rest) != 1 {
		return "write send FILE [with DEVIATION] [as NAME]"
	}
	if _, ok := c.Files[rest[0]]; !ok {
		return fmt.Sprintf("the case has no file %q", rest[0])
	}
	if d := given["with"]; d != "" && partner.FindDeviation(d) == nil {
		return fmt.Sprintf("no deviation is called %q (oots test list --deviations shows them)", d)
	}
	return ""
}

func doSend(ctx context.Context, p *player, args []string) verdict {
	rest, given := options(args, "with", "as", "action")
	if p.me == nil || p.Target.Peer.URL == "" {
		return verdict{Unsupported, "the target has no access point"}
	}
	body, err := p.expand(rest[0])
	if err != nil {
		return broken("%s: %v", rest[0], err)
	}
	l := p.letter(body, given["action"])
	name := given["with"]
	if name == "" {
		name = "usual"
	}
	d := partner.FindDeviation(name)
	m, signal, err := p.me.PushRaw(ctx, l, d)
	if err != nil {
		return broken("the message cannot be sent: %v", err)
	}
	if given["as"] == "" {
		given["as"] = strings.TrimSuffix(rest[0], ".xml")
	}
	p.mail[given["as"]], p.signal = m, &signal
	return pass("%s", signal)
}

func doRepeat(ctx context.Context, p *player, args []string) verdict {
	m := p.mail[args[0]]
	if m == nil {
		return broken("no message of this run is called %q", args[0])
	}
	p.settle(ctx)
	signal, err := p.me.Repeat(ctx, m)
	if err != nil {
		return broken("%v", err)
	}
	p.signal = &signal
	return pass("%s", signal)
}

func checkSignal(_ *Case, args []string) string {
	if !slices.Contains([]string{partner.SignalReceipt, partner.SignalError, partner.SignalNone}, args[0]) {
		return "signal is receipt, error or none"
	}
	return ""
}

func doSignal(_ context.Context, p *player, args []string) verdict {
	s := p.signal
	p.signal = nil
	switch {
	case s == nil:
		return broken("nothing was sent before")
	case s.Kind != args[0]:
		return fail("%s came instead", s)
	case s.Kind == partner.SignalReceipt && !s.Signed:
		return fail("the receipt is not signed by the target's certificate")
	case s.Kind == partner.SignalReceipt && !s.Matches:
		return fail("the receipt does not repeat what was sent")
	case s.Kind == partner.SignalError && len(args) > 1 && !slices.Contains(args[1:], string(s.Code)):
		return fail("the error is %s", s.Code)
	case s.Kind == partner.SignalError && !s.Signed && len(args) > 1:
		return verdict{Warnings, fmt.Sprintf("%s; a signed error would be worth more", s)}
	}
	return pass("%s", s)
}

func doPing(ctx context.Context, p *player, _ []string) verdict {
	if p.me == nil || p.Target.Peer.URL == "" {
		return verdict{Unsupported, "the target has no access point"}
	}
	got, err := p.me.Ping(ctx, p.Target.Peer.ID)
	if err != nil {
		return broken("%v", err)
	}
	if got.Code != "" {
		return fail("HTTP %d, %s: %s", got.Status, got.Code, got.Detail)
	}
	return pass("acknowledged with a signed receipt")
}

func checkExpect(_ *Case, args []string) string {
	known := []string{as4.ActionRequest, as4.ActionResponse, as4.ActionException, as4.ActionSubmit, as4.ActionSubmitDone}
	for _, a := range strings.Split(args[0], "|") {
		if !slices.Contains(known, a) {
			return fmt.Sprintf("no action is called %q; there are %s", a, strings.Join(known, ", "))
		}
	}
	_, given := options(args[1:], "within", "as")
	if w := given["within"]; w != "" {
		if _, ok := span(w); !ok {
			return fmt.Sprintf("%q is no time: T1, T2, T3 or a duration such as 30s", w)
		}
	}
	return ""
}

func doExpect(ctx context.Context, p *player, args []string) verdict {
	codes, given := options(args[1:], "within", "as")
	limit := partner.T1
	if w := given["within"]; w != "" {
		limit, _ = span(w)
	}
	m, why := p.next(ctx, limit)
	if m == nil {
		return fail("%s", why)
	}
	if given["as"] == "" {
		given["as"] = "answer"
	}
	p.mail[given["as"]] = m
	if !slices.Contains(strings.Split(args[0], "|"), m.Header.Action) {
		return fail("%s came instead%s", m.Header.Action, p.codeOf(given["as"]))
	}
	if len(codes) > 0 && m.Header.Action == as4.ActionException {
		found, err := p.find(given["as"], "//rs:Exception/@code")
		switch {
		case err != nil:
			return fail("%v", err)
		case len(found) == 0 || !slices.Contains(codes, found[0]):
			return fail("the exception is %s", strings.Join(found, ", "))
		}
		return pass("%s %s", m.Header.Action, found[0])
	}
	return pass("%s", m.Header.Action)
}

func (p *player) codeOf(name string) string {
	if found, err := p.find(name, "//rs:Exception/@code"); err == nil && len(found) > 0 {
		return " with " + strings.Join(found, ", ")
	}
	return ""
}

func doNothing(ctx context.Context, p *player, args []string) verdict {
	limit := partner.T1 / 10
	if len(args) == 2 {
		limit, _ = span(args[1])
	}
	m, _ := p.next(ctx, limit)
	if m == nil {
		return pass("nothing came")
	}
	p.mail["unexpected"] = m
	return fail("%s came%s", m.Header.Action, p.codeOf("unexpected"))
}

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

func doHave(_ context.Context, p *player, args []string) verdict {
	found, err := p.find(args[0], args[1])
	switch {
	case err != nil:
		return fail("%v", err)
	case len(found) == 0:
		return fail("%s has no %s", args[0], args[1])
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
	n, ok := number(args[1])
	if m == nil || !ok {
		return broken("write files NAME N [TYPE…]")
	}
	if len(m.Files)-1 != n {
		return fail("%d documents travel with it", len(m.Files)-1)
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

// beginnings are the first octets of a document, by its type.
var beginnings = map[string]string{"application/pdf": "%PDF-", "application/xml": "<", "image/png": "\x89PNG"}

func checkOpen(_ *Case, args []string) string {
	if !slices.Contains([]string{"look", "accept", "refuse"}, args[1]) {
		return "open NAME look, accept or refuse"
	}
	return ""
}

func doOpen(ctx context.Context, p *player, args []string) verdict {
	p.settle(ctx)
	rest, given := options(args[2:], "as", "status")
	found, err := p.find(args[0], "//rim:Slot[PreviewLocation]/rim:SlotValue/rim:Value")
	if err != nil || len(found) == 0 {
		return fail("%s carries no preview address", args[0])
	}
	address, err := url.Parse(found[0])
	if err != nil || address.Host == "" {
		return fail("%q is no address", found[0])
	}
	if address.Scheme != "https" && address.Hostname() != "127.0.0.1" && address.Hostname() != "localhost" {
		return fail("the preview address %s is not https", found[0])
	}
	who := partner.UsualName
	if as, ok := given["as"]; ok {
		if who, err = draft.Fill(as, p.values); err != nil {
			return broken("%v", err)
		}
	}
	q := address.Query()
	if who != "nobody" {
		q.Set("as", who)
	}
	address.RawQuery = q.Encode()
	page, err := p.browse(ctx, http.MethodGet, address.String(), "")
	if err == nil && page.status == http.StatusOK && args[1] != "look" {
		page, err = p.browse(ctx, http.MethodPost, address.String(), "decision="+args[1])
	}
	if err != nil {
		return fail("%v", err)
	}
	p.page = page
	switch want := given["status"]; {
	case want != "" && fmt.Sprint(page.status) != want:
		return fail("the preview space answers %d", page.status)
	case want == "" && page.status != http.StatusOK && page.status != http.StatusSeeOther && page.status != http.StatusFound:
		return fail("the preview space answers %d", page.status)
	}
	if slices.Contains(rest, "returns") && page.location == "" {
		return fail("the user is not sent back to the procedure")
	}
	p.settle(ctx)
	return pass("HTTP %d", page.status)
}

func checkWait(_ *Case, args []string) string {
	if _, ok := span(args[0]); !ok {
		return fmt.Sprintf("%q is no time: T1, T2, T3 or a duration such as 30s", args[0])
	}
	return ""
}

func doWait(ctx context.Context, p *player, args []string) verdict {
	d, _ := span(args[0])
	if strings.HasPrefix(args[0], "T") {
		d += 1e9 // a second beyond
	}
	if err := p.pause(ctx, d); err != nil {
		return fail("%v", err)
	}
	return pass("%s later", d)
}

func doAttest(_ context.Context, _ *player, args []string) verdict {
	return verdict{NeedsReview, "a person must confirm: " + strings.Join(args, " ")}
}

// pairsOf reads KEY=VALUE.
func (p *player) pairsOf(args []string) (map[string]string, error) {
	out := map[string]string{}
	for _, a := range args {
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			return nil, fmt.Errorf("write KEY=VALUE, not %q", a)
		}
		v, err := draft.Fill(v, p.values)
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

func doOrder(ctx context.Context, p *player, args []string) verdict {
	pairs, err := p.pairsOf(args[1:])
	if err != nil {
		return broken("%v", err)
	}
	if p.Target.Driver == nil {
		return verdict{Unsupported, "nobody can tell this system to act; give its API with --api"}
	}
	if args[0] == "request" { // which evidence, of those that the data set has
		d := p.Target.Data
		for key, value := range map[string]string{"country": d.Country, "procedure": d.Procedure, "requirement": d.Requirement.ID} {
			pairs[key] = cmp.Or(pairs[key], value)
		}
	}
	out, err := p.Target.Driver.Drive(ctx, Order{args[0], pairs})
	switch {
	case errors.Is(err, ErrUnsupported) || errors.Is(err, partner.ErrUnsupported):
		return verdict{Unsupported, ErrUnsupported.Error()}
	case err != nil:
		return fail("%v", err)
	}
	p.outcomes[p.actor] = &out
	p.settle(ctx)
	return pass("%s %s", out.State, out.Code)
}

func doOutcome(ctx context.Context, p *player, args []string) verdict {
	if p.outcomes[p.actor] == nil {
		return broken("nothing was ordered before")
	}
	p.settle(ctx)
	if id := p.outcomes[p.actor].Fields["order"]; id != "" { // still under way when it was given
		out, err := p.Target.Driver.Drive(ctx, Order{"outcome", map[string]string{"order": id}})
		if err != nil {
			return fail("%v", err)
		}
		out.Fields = withOrder(out.Fields, id)
		p.outcomes[p.actor] = &out
	}
	o := p.outcomes[p.actor]
	if !slices.Contains(strings.Split(args[0], "|"), o.State) {
		return fail("the system says %s %s %s", o.State, o.Code, o.Detail)
	}
	rest := args[1:]
	if len(rest) > 0 && !strings.Contains(rest[0], "=") {
		if o.Code != rest[0] {
			return fail("the system says %s %s", o.State, o.Code)
		}
		rest = rest[1:]
	}
	want, err := p.pairsOf(rest)
	if err != nil {
		return broken("%v", err)
	}
	for k, v := range want {
		if o.Fields[k] != v {
			return fail("%s is %q, expected %q", k, o.Fields[k], v)
		}
	}
	return pass("%s %s", o.State, o.Code)
}

func withOrder(fields map[string]string, id string) map[string]string {
	out := map[string]string{"order": id}
	for k, v := range fields {
		out[k] = v
	}
	return out
}

func checkDirectory(_ *Case, args []string) string {
	if partner.FindMisbehaviour(args[0]) == nil && args[0] != "changed" {
		return fmt.Sprintf("no way to answer is called %q (oots test list --directory shows them)", args[0])
	}
	return ""
}

func doDirectory(_ context.Context, p *player, args []string) verdict {
	if p.Platform == nil || p.Platform.Directories == nil {
		return verdict{Unsupported, "the platform has no directories for this target"}
	}
	if args[0] == "changed" {
		if err := p.Platform.Directories.Change(withoutDiploma(p.Target.Data.Country)); err != nil {
			return broken("%v", err)
		}
		return pass("the data were changed")
	}
	p.Platform.Directories.Behave(partner.FindMisbehaviour(args[0]))
	return pass("%s", args[0])
}

// withoutDiploma takes the evidence types of a country out of the lists that
// fulfil a requirement: its data have changed.
func withoutDiploma(country string) func(*cs.DataSet) *cs.DataSet {
	return func(set *cs.DataSet) *cs.DataSet {
		part := *set.Contributions[country]
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
	if n := len(p.Platform.Directories.Asked()); fmt.Sprint(n) != args[0] {
		return fail("%d queries came", n)
	}
	return pass("%s", args[0])
}

// doReply answers the last message that came: in its conversation and exchange,
// with the documents that the answer refers to.
func doReply(ctx context.Context, p *player, args []string) verdict {
	rest, given := options(args, "with", "as", "action")
	if p.last == nil {
		return broken("nothing came that could be answered")
	}
	body, err := p.expand(rest[0])
	if err != nil {
		return broken("%s: %v", rest[0], err)
	}
	l := p.letter(body, given["action"])
	h := p.last.Header
	l.Conversation, l.ExchangeID, l.To = h.ConversationID, h.Property(ebms.ExchangeID), h.From.ID
	for _, prop := range h.Properties {
		switch prop.Name {
		case ebms.OriginalSender:
			l.Recipient = identifierOf(prop)
		case ebms.FinalRecipient:
			l.Sender = identifierOf(prop)
		}
	}
	l.Files = append(l.Files, documentsOf(body)...)
	name := given["with"]
	if name == "" {
		name = "usual"
	}
	m, signal, err := p.me.PushRaw(ctx, l, partner.FindDeviation(name))
	if err != nil {
		return broken("the answer cannot be sent: %v", err)
	}
	if given["as"] == "" {
		given["as"] = strings.TrimSuffix(rest[0], ".xml")
	}
	p.mail[given["as"]], p.signal = m, &signal
	return pass("%s", signal)
}

// documentsOf are the documents that a response refers to, invented in the
// format that it says.
func documentsOf(body string) []partner.File {
	doc, err := xmltree.Parse([]byte(body), xmltree.Options{})
	if err != nil {
		return nil
	}
	var out []partner.File
	for e := range doc.Root.Descendants() {
		if e.Local() != "RepositoryItemRef" {
			continue
		}
		format := "application/pdf"
		for s := range e.Parent().Descendants() {
			if s.Local() == "Format" {
				format = s.Norm()
			}
		}
		id := strings.TrimPrefix(e.Attr(xmltree.Customary("xlink"), "href"), "cid:")
		out = append(out, partner.File{ID: id, Type: format, Data: partner.Document(format)})
	}
	return out
}

func doLogged(_ context.Context, p *player, args []string) verdict {
	if p.outcomes[p.actor] == nil {
		return broken("no log was asked for")
	}
	for _, row := range p.outcomes[p.actor].Rows {
		ok := true
		for _, a := range args {
			k, v, has := strings.Cut(a, "=")
			want, err := p.inLog(v)
			if err != nil {
				return broken("%v", err)
			}
			ok = ok && row[k] != "" && (!has || row[k] == want)
		}
		if ok {
			return pass("%s", strings.Join(args, " "))
		}
	}
	return fail("none of the %d rows of the log says so", len(p.outcomes[p.actor].Rows))
}

// inLog fills placeholders; {{NAME.digest}} is the digest of a message.
func (p *player) inLog(v string) (string, error) {
	return draft.Fill(v, func(name string) (string, bool) {
		if head, ok := strings.CutSuffix(name, ".digest"); ok && p.mail[head] != nil {
			return digest(p.mail[head].Body()), true
		}
		return p.values(name)
	})
}

func doUnlogged(_ context.Context, p *player, args []string) verdict {
	if p.outcomes[p.actor] == nil {
		return broken("no log was asked for")
	}
	text, err := draft.Fill(args[0], p.values)
	if err != nil {
		return broken("%v", err)
	}
	for _, row := range p.outcomes[p.actor].Rows {
		for k, v := range row {
			if strings.Contains(v, text) {
				return fail("the field %s of the log holds it", k)
			}
		}
	}
	return pass("not there")
}

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
	found, err := p.find(args[0], args[1])
	switch {
	case err != nil:
		return fail("%v", err)
	case len(found) == 0:
		return fail("%s has no %s", args[0], args[1])
	}
	re, err := regexp.Compile(args[3])
	if err != nil {
		return broken("%v", err)
	}
	for _, v := range found {
		if !re.MatchString(v) {
			return fail("found %s, expected %s", v, args[3])
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
	from, err := p.find(args[0], args[1])
	to, err2 := p.find(args[0], args[2])
	if err := errors.Join(err, err2); err != nil {
		return fail("%v", err)
	}
	if len(from) == 0 {
		return fail("%s has no %s", args[0], args[1])
	}
	for _, v := range from {
		if !slices.Contains(to, v) {
			return fail("%s leads nowhere", v)
		}
	}
	return pass("%d references", len(from))
}
