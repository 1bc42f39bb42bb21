package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	am "github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/validator"
)

// step is GET /{lang}/demo/apply/{id}/step/{step}: the step asked for, or the
// one that the application stands at where that is not open.
func (s *portal) step(w http.ResponseWriter, r *http.Request, l *lang) {
	s.with(w, r, l, func(a *application) error {
		asked, err := strconv.Atoi(r.PathValue("step"))
		at, all, failed := s.reached(r.Context(), a)
		if failed != nil {
			return failed
		}
		back := a.conversed == "" && asked < at && asked >= 1 // until something is asked, one may go back
		if err != nil || asked != at && !back && !(asked == 6 && at == 7 && a.receipt == nil) {
			http.Redirect(w, r, s.stepPath(l, a, at), http.StatusSeeOther)
			return nil
		}
		return s.open(w, r, l, a, asked, all, "")
	})
}

// open renders a step; wrong is the message key of what is wrong with a form.
func (s *portal) open(w http.ResponseWriter, r *http.Request, l *lang, a *application, step int, all []*exchange.Exchange, wrong string) error {
	status := http.StatusOK
	if wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	page := &stepPage{Office: a.office, Action: s.stepPath(l, a, step), Base: s.path(l, a, ""), Who: a.who, Country: a.country, Wrong: wrong, Step: step}
	switch step {
	case 1:
		page.signIn(s, r, l, a)
	case 2:
		if err := page.locate(s, r, l, a); err != nil {
			return err
		}
	case 3:
		page.Asked = page.chosen(a)
	default:
		page.follow(s, w, a, all)
		page.Receipt = a.receipt
	}
	if step >= 4 && a.conversed != "" {
		page.Hood = s.hood(r, a)
	}
	s.show(w, r, status, s.leaf(l, a, step, fmt.Sprintf("portal_%d", step), page))
	return nil
}

// stepPage is what the templates portal_1 to portal_7 see.
type stepPage struct {
	Office  *Office
	Action  string
	Base    string // of the application's addresses
	Who     *SignedIn
	Country string // where the documents are
	Wrong   string
	Detail  string
	Step    int

	European  bool
	Find      string
	Countries []countryChoice
	Possible  int

	Needs     []needChoice
	Questions []exchange.Question

	Asked []askedFor

	Exchanges []outcome
	Leaving   *outcome // the next preview to go to
	Waiting   bool
	Uploads   []uploadChoice
	Receipt   *receipt
	Hood      []hoodEntry
}

// countryChoice is a line of the country list.
type countryChoice struct {
	Code     string
	Possible bool
}

func (p *stepPage) signIn(s *portal, r *http.Request, l *lang, a *application) {
	p.European = r.URL.Query().Get("with") == "european"
	p.Find = strings.TrimSpace(r.URL.Query().Get("find"))
	if len(p.Find) > 60 {
		p.Find = ""
	}
	p.Countries, p.Possible = s.countries(l, p.Find, a.office.Country)
}

// countries are the 30, those that are possible first, by name.
func (s *portal) countries(l *lang, find, without string) (all []countryChoice, possible int) {
	var codes []string
	for _, c := range am.Countries() {
		codes = append(codes, c.Code)
	}
	for _, code := range l.sorted(codes) {
		if code == without || find != "" && !strings.Contains(strings.ToLower(l.Country(code)), strings.ToLower(find)) {
			continue
		}
		c := countryChoice{code, slices.Contains(s.c.Countries, code)}
		if c.Possible {
			possible++
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(x, y countryChoice) int { return btoi(y.Possible) - btoi(x.Possible) })
	return all, possible
}

// needChoice is one thing to prove, with the ways to do it.
type needChoice struct {
	Index   int
	Names   []sdg.Text
	Options []option
	Reason  []sdg.Text // why the country issues nothing for it
	Chosen  string
}

// option is one way to prove it: documents that are fetched together.
type option struct {
	Value     string // alternative, or alternative.provider
	Documents [][]sdg.Text
	Providers [][]sdg.Text
}

// locate asks the directories what a country can deliver.
func (p *stepPage) locate(s *portal, r *http.Request, l *lang, a *application) error {
	if cc := r.URL.Query().Get("country"); cc != a.country && slices.Contains(s.c.Countries, cc) {
		a.country, a.plan, a.answers, a.chosen = cc, nil, map[string]string{}, false
	}
	p.Country = a.country
	p.Countries, p.Possible = s.countries(l, "", "")
	if a.plan == nil {
		subject, _ := a.who.Subject(a.office.Organisation)
		plan, err := a.office.Requester.Plan(r.Context(), exchange.Wish{Procedure: a.office.Procedure, Country: a.country, Subject: subject,
			Answers: a.answers, Languages: []string{strings.ToUpper(l.Code)}, Preview: true})
		if err != nil {
			var refused *exchange.Error
			if !errors.As(err, &refused) {
				return err
			}
			s.log.Warn("no plan", "error", err)
			p.Wrong, p.Detail = "portal.noplan", refused.Detail
			return nil
		}
		a.plan = plan
	}
	p.Questions = a.plan.Questions()
	for i, n := range a.plan.Needs {
		choice := needChoice{Index: i, Names: n.Requirement.Names, Options: options(&n), Reason: n.NoMatch}
		if a.chosen && slices.Contains(a.uploads, i) {
			choice.Chosen = "upload"
		}
		for _, c := range a.choices {
			if a.chosen && c.Need == i && choice.Chosen == "" {
				choice.Chosen = fmt.Sprintf("%d.%d", c.Alternative, c.Provider)
			}
		}
		p.Needs = append(p.Needs, choice)
	}
	return nil
}

// options of a need: each alternative with each of its providers; where several
// documents are needed together, with the first provider of each.
func options(n *exchange.Need) (all []option) {
next:
	for j, alternative := range n.Alternatives {
		if len(alternative.Offers) == 1 {
			o := alternative.Offers[0]
			for k, c := range o.Providers {
				if c.Line != "" {
					all = append(all, option{fmt.Sprintf("%d.%d", j, k), [][]sdg.Text{o.Type.Titles}, [][]sdg.Text{c.Service.Publisher.Names}})
				}
			}
			continue
		}
		together := option{Value: fmt.Sprintf("%d.0", j)}
		for _, o := range alternative.Offers {
			at := slices.IndexFunc(o.Providers, func(c exchange.Candidate) bool { return c.Line != "" })
			if at < 0 {
				continue next
			}
			together.Documents = append(together.Documents, o.Type.Titles)
			together.Providers = append(together.Providers, o.Providers[at].Service.Publisher.Names)
		}
		all = append(all, together)
	}
	return all
}

// choicesOf turns an option's value into choices of the plan; nil for a value
// that the page did not offer.
func choicesOf(plan *exchange.Plan, need int, value string) (all []exchange.Choice) {
	n := &plan.Needs[need]
	if !slices.ContainsFunc(options(n), func(o option) bool { return o.Value == value }) {
		return nil
	}
	first, second, _ := strings.Cut(value, ".")
	j, _ := strconv.Atoi(first)
	k, _ := strconv.Atoi(second)
	offers := n.Alternatives[j].Offers
	for i, o := range offers {
		if len(offers) > 1 {
			k = slices.IndexFunc(o.Providers, func(c exchange.Candidate) bool { return c.Line != "" })
		}
		all = append(all, exchange.Choice{Need: need, Alternative: j, Offer: i, Provider: k})
	}
	return all
}

// askedFor is one line of the explicit request.
type askedFor struct {
	Title   []sdg.Text
	From    []sdg.Text
	Country string
	Why     []sdg.Text
}

func (p *stepPage) chosen(a *application) (all []askedFor) {
	for _, c := range a.choices {
		n := a.plan.Needs[c.Need]
		o := n.Alternatives[c.Alternative].Offers[c.Offer]
		all = append(all, askedFor{Title: o.Type.Titles, From: o.Providers[c.Provider].Service.Publisher.Names, Country: a.country, Why: n.Requirement.Names})
	}
	return all
}

// outcome is an exchange in words.
type outcome struct {
	*exchange.Exchange
	Key  string // message of how it stands
	Host string // of the preview
}

// problems are the messages for ends without a document, by code.
var problems = map[string]string{
	"EDM:ERR:0004": "nothing", "EDM:ERR:0005": "late", exchange.TimedOutT1: "late", exchange.TimedOutT2: "late", exchange.TimedOutT3: "late",
	exchange.GivenUp: "givenup", "EDM:ERR:0006": "nobody", "EDM:ERR:0002": "nobody",
}

func outcomeOf(x *exchange.Exchange) outcome {
	o := outcome{Exchange: x, Key: "outcome." + string(x.State)}
	switch {
	case x.State == exchange.Delivered && len(x.Documents) == 0:
		o.Key = "outcome.none"
	case x.State == exchange.Failed && x.Problem != nil && problems[x.Problem.Code] != "":
		o.Key = "outcome." + problems[x.Problem.Code]
	}
	if x.Preview != nil {
		o.Host = strings.TrimPrefix(origin(x.Preview.Location), "https://")
	}
	return o
}

// uploadChoice is a document that the person brings.
type uploadChoice struct {
	Need  int
	Names []sdg.Text
	File  *upload
}

// follow shows how the exchanges stand. While an answer is on its way the page
// asks again by itself.
func (p *stepPage) follow(s *portal, w http.ResponseWriter, a *application, all []*exchange.Exchange) {
	missing := slices.Clone(a.uploads)
	for _, x := range all {
		o := outcomeOf(x)
		p.Exchanges = append(p.Exchanges, o)
		if x.State == exchange.Sent || p.Step == 6 && !x.State.Ended() {
			p.Waiting = true
		}
		if p.Leaving == nil && (x.State == exchange.PreviewRequired || x.State == exchange.PreviewOpen && p.Step == 5) {
			p.Leaving = &o
		}
		if x.State == exchange.Failed || x.State == exchange.Delivered && len(x.Documents) == 0 || x.State == exchange.Deferred {
			missing = append(missing, needsOf(a, x)...)
		}
	}
	if p.Waiting {
		w.Header().Set("Refresh", "2")
	} else if p.Leaving != nil {
		w.Header().Set("Content-Security-Policy", contentRules(origin(s.browser(p.Leaving.Preview.Location))))
	}
	slices.Sort(missing)
	for _, n := range slices.Compact(missing) {
		u := uploadChoice{Need: n, Names: a.plan.Needs[n].Requirement.Names}
		if f, ok := a.uploaded[n]; ok {
			u.File = &f
		}
		p.Uploads = append(p.Uploads, u)
	}
}

// needsOf are the needs that an exchange was to prove.
func needsOf(a *application, x *exchange.Exchange) (all []int) {
	for i, n := range a.plan.Needs {
		if slices.ContainsFunc(x.Requirements, func(q sdg.Requirement) bool { return q.ID == n.Requirement.ID }) {
			all = append(all, i)
		}
	}
	return all
}

// take is POST /{lang}/demo/apply/{id}/step/{step}: the form of a step. A form of
// a step that is no longer open leads to the one that is.
func (s *portal) take(w http.ResponseWriter, r *http.Request, l *lang) {
	s.with(w, r, l, func(a *application) error {
		at, all, err := s.reached(r.Context(), a)
		if err != nil {
			return err
		}
		asked, _ := strconv.Atoi(r.PathValue("step"))
		forms := map[int]func(r *http.Request, a *application, all []*exchange.Exchange) string{2: s.takeChoices, 3: s.takeRequest, 6: s.takeUploads, 7: s.submit}
		form := forms[asked]
		if form == nil || asked > at || asked < at && (a.conversed != "" || asked > 3) {
			http.Redirect(w, r, s.stepPath(l, a, at), http.StatusSeeOther)
			return nil
		}
		if wrong := form(r, a, all); wrong != "" {
			return s.open(w, r, l, a, asked, all, wrong)
		}
		if at, _, err = s.reached(r.Context(), a); err != nil {
			return err
		}
		http.Redirect(w, r, s.stepPath(l, a, at), http.StatusSeeOther)
		return nil
	})
}

// takeChoices reads step 2: answers to the directory's questions, or how each
// need is met.
func (s *portal) takeChoices(r *http.Request, a *application, _ []*exchange.Exchange) string {
	if a.plan == nil {
		return "portal.noplan"
	}
	if questions := a.plan.Questions(); len(questions) > 0 && r.PostFormValue("do") == "answer" {
		for _, q := range questions {
			value := strings.TrimSpace(r.PostFormValue("q-" + q.ID))
			if value == "" || len(value) > 200 || len(q.Options) > 0 && !slices.Contains(q.Options, value) || q.Type == "boolean" && value != "true" && value != "false" {
				return "portal.answerall"
			}
			a.answers[q.ID] = value
		}
		a.plan = nil
		return ""
	}
	var choices []exchange.Choice
	var uploads []int
	for i := range a.plan.Needs {
		value := r.PostFormValue("need-" + strconv.Itoa(i))
		if value == "upload" {
			uploads = append(uploads, i)
			continue
		}
		some := choicesOf(a.plan, i, value)
		if some == nil {
			return "portal.chooseall"
		}
		choices = append(choices, some...)
	}
	a.choices, a.uploads, a.chosen = choices, uploads, true
	return ""
}

// takeRequest reads step 3: nothing is asked without the person's explicit
// request (SDGR Art. 14(4)).
func (s *portal) takeRequest(r *http.Request, a *application, _ []*exchange.Exchange) string {
	if r.PostFormValue("explicit") != "yes" {
		return "portal.tick"
	}
	plan := *a.plan
	plan.Wish.Explicit = true
	c, err := a.office.Requester.Request(r.Context(), "", &plan, a.choices)
	var refused *exchange.Error
	switch {
	case err == nil:
		a.conversed = c.ID
		s.mu.Lock()
		s.talks[c.ID] = a.id
		s.mu.Unlock()
		return ""
	case errors.As(err, &refused) && refused.Reason == exchange.BadWish:
		s.log.Warn("request refused", "error", err)
		return "portal.notasked"
	}
	s.log.Error("request failed", "error", err)
	return "portal.trylater"
}

// takeUploads reads step 6: the files that the person brings, and the word that
// what arrived is to be used.
func (s *portal) takeUploads(r *http.Request, a *application, all []*exchange.Exchange) string {
	if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return "portal.toolarge"
	}
	if slices.ContainsFunc(all, func(x *exchange.Exchange) bool { return !x.State.Ended() }) {
		return "portal.inprogress"
	}
	if r.MultipartForm != nil {
		defer func() { _ = r.MultipartForm.RemoveAll() }()
		for i := range a.plan.Needs {
			if files := r.MultipartForm.File["file-"+strconv.Itoa(i)]; len(files) == 1 && files[0].Size > 0 {
				a.uploaded[i] = upload{clip(files[0].Filename, 100), files[0].Size}
			}
		}
	}
	a.confirmed = true
	return ""
}

func clip(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// submit reads step 7: the documents are taken over, and erased at the Evidence
// Requester.
func (s *portal) submit(r *http.Request, a *application, all []*exchange.Exchange) string {
	if a.receipt != nil {
		return ""
	}
	number := strings.ToUpper(secret()[:8])
	done := &receipt{Number: number[:4] + "-" + number[4:], At: s.now()}
	for _, x := range all {
		if len(x.Documents) == 0 || x.Erased {
			continue
		}
		if _, err := a.office.Requester.Collect(r.Context(), x.ID); err != nil {
			s.log.Error("documents not collected", "exchange", x.ID, "error", err)
			return "portal.trylater"
		}
		done.Documents = append(done.Documents, x.Documents...)
		if err := a.office.Requester.Erase(r.Context(), x.ID); err != nil {
			s.log.Error("documents not erased", "exchange", x.ID, "error", err)
		}
	}
	for i := range a.plan.Needs {
		if u, ok := a.uploaded[i]; ok {
			done.Uploads = append(done.Uploads, u)
		}
	}
	a.receipt = done
	return ""
}

// hoodEntry is one message that was exchanged, as text, judged.
type hoodEntry struct {
	At      time.Time
	Event   exchange.Event
	Line    string
	Partner string
	Outcome string
	Text    string
	Verdict string
	Passed  int
	Rules   []string // findings, in the validator's words
}

const mostMessages = 40

// hood looks at the messages of the conversation.
func (s *portal) hood(r *http.Request, a *application) (all []hoodEntry) {
	if a.office.Messages == nil {
		return nil
	}
	entries, err := a.office.Messages(r.Context(), a.conversed)
	if err != nil {
		s.log.Error("messages cannot be read", "error", err)
		return nil
	}
	for _, e := range entries {
		if len(all) == mostMessages {
			break
		}
		h := hoodEntry{At: e.At, Event: e.Event, Line: string(e.Line), Partner: e.Partner.Value, Outcome: e.Outcome, Text: string(e.Document)}
		if len(e.Document) > 0 {
			report := s.judge.Validate(e.Document, validator.Options{Name: string(e.Event)})
			h.Verdict, h.Passed = report.Verdict(), len(report.Passed)
			for i := range report.Findings {
				f := &report.Findings[i]
				h.Rules = append(h.Rules, f.Rule+": "+f.Mend)
			}
		}
		all = append(all, h)
	}
	return all
}
