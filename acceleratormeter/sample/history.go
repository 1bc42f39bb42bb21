package sample

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
)

// Quarters is how many quarters the history spans.
const Quarters = 12

// VerifiedPairs is how many of the 870 ordered pairs the history ends with
// verified.
const VerifiedPairs = 264

// seed of everything that is left to chance; two runs give the same facts.
const seed = 20231212

// History invents the facts of twelve quarters that end with the quarter of now,
// in the order of their recording, and gives the instants of the quarterly
// snapshots. The same now gives the same facts.
func History(now time.Time) (facts []ledger.Fact, snapshots []time.Time) {
	h := newHistory(now.UTC().Truncate(time.Second))
	for _, p := range h.plans {
		h.tell(p)
	}
	h.pairs()
	h.events()
	for _, p := range h.plans {
		facts = append(facts, p.facts()...)
	}
	facts = append(facts, h.public...)
	for i := range facts {
		if facts[i].RecordedAt.After(h.now) {
			facts[i].RecordedAt = h.now
		}
		if facts[i].HappenedAt.After(facts[i].RecordedAt) {
			facts[i].HappenedAt = facts[i].RecordedAt
		}
	}
	slices.SortStableFunc(facts, func(a, b ledger.Fact) int { return a.RecordedAt.Compare(b.RecordedAt) })
	for q := range Quarters {
		snapshots = append(snapshots, h.snapshot(q))
	}
	return facts, snapshots
}

type history struct {
	now    time.Time
	start  time.Time // of the first quarter
	rand   *rand.Rand
	plans  []*plan
	public []ledger.Fact
	cells  map[[2]string]time.Time // verified pairs and when last
}

// plan is what a country shall show: the quarter in which each role shows the
// criteria of each level; -1 never.
type plan struct {
	country string
	final   int
	roles   [2]role
	serial  int
	back    int  // quarter in which a blocking item opens; 0 none
	atRisk  bool // its probes stop shortly before the end
}

type role struct {
	kit   *Kit
	shows [7]int
}

func (p *plan) facts() []ledger.Fact { return append(p.roles[0].kit.Facts, p.roles[1].kit.Facts...) }

// spread is how many countries end on each level, from 1.
var spread = []int{1, 3, 6, 9, 7, 4}

func newHistory(now time.Time) *history {
	start := time.Date(now.Year(), (now.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, -3*(Quarters-1), 0)
	h := &history{now: now, start: start, rand: rand.New(rand.NewPCG(seed, 1)), cells: map[[2]string]time.Time{}}
	var levels []int
	for i, n := range spread {
		levels = append(levels, slices.Repeat([]int{i + 1}, n)...)
	}
	h.rand.Shuffle(len(levels), func(i, j int) { levels[i], levels[j] = levels[j], levels[i] })
	countries := acceleratormeter.Countries()
	for i, c := range countries {
		h.plans = append(h.plans, h.plan(c.Code, levels[i]))
	}
	// One country stood on level 4 and moved back, one is at risk, and one was
	// not assessed at first.
	back := h.first(func(p *plan) bool { return p.final == 3 })
	lead := &back.roles[0]
	lead.shows = [7]int{0, 0, 0, 2, 6, -1, -1}
	back.roles[1].shows = [7]int{0, 0, 1, 5, -1, -1, -1}
	back.back = 9
	h.first(func(p *plan) bool { return p.final == 4 && p.roles[0].shows[4] < 9 }).atRisk = true
	late := h.first(func(p *plan) bool { return p.final == 2 })
	for i := range late.roles {
		late.roles[i].shows = [7]int{4, 4, 7 + i, -1, -1, -1, -1}
	}
	for _, p := range h.plans {
		for i, r := range []ledger.Role{ledger.Requester, ledger.Provider} {
			p.roles[i].kit = NewKit(p.country, r, &p.serial)
		}
	}
	return h
}

func (h *history) first(ok func(*plan) bool) *plan {
	return h.plans[slices.IndexFunc(h.plans, ok)]
}

// plan draws the quarters in which a country climbs to its level. The lead role
// reaches it; the other follows, sometimes not all the way.
func (h *history) plan(country string, final int) *plan {
	p := &plan{country: country, final: final}
	begin := max(1, final-2-h.rand.IntN(3))
	var steps []int
	for range final - begin {
		steps = append(steps, 1+h.rand.IntN(Quarters-1))
	}
	slices.Sort(steps)
	lead := h.rand.IntN(2)
	for i := range p.roles {
		shows := &p.roles[i].shows
		for n := range shows {
			switch {
			case n <= begin:
				shows[n] = 0
			case n <= final:
				shows[n] = steps[n-begin-1]
			default:
				shows[n] = -1
			}
		}
	}
	// A second role: some levels less, some quarters later.
	other := &p.roles[1-lead].shows
	less, later := h.rand.IntN(3), h.rand.IntN(4)
	for n := 2; n < len(other); n++ {
		if other[n] >= 0 {
			other[n] += later
		}
		if n > final-less || other[n] >= Quarters {
			other[n] = -1
		}
	}
	for n := 3; n < len(other); n++ {
		if other[n-1] < 0 {
			other[n] = -1
		}
	}
	return p
}

// snapshot is when the snapshot of a quarter is drafted: its last day, or now.
func (h *history) snapshot(q int) time.Time {
	end := h.start.AddDate(0, 3*(q+1), -1).Add(18 * time.Hour)
	if q == Quarters-1 || end.After(h.now) {
		return h.now
	}
	return end
}

// when is an instant within a quarter, early enough for its snapshot.
func (h *history) when(q int, share float64) time.Time {
	from := h.start.AddDate(0, 3*q, 0)
	return from.Add(time.Duration(share * float64(h.snapshot(q).Sub(from)))).Truncate(time.Minute)
}

// renewals are how often the facts of a criterion are shown again, in days.
var renewals = map[string]int{
	"AM2.3": 330, "AM2.4": 330, "AM3.1": 330, "AM3.2": 330, "AM4.4": 330, "AM4.6": 330,
	"AM3.4": 480, "AM4.2": 480, "AM4.3": 480, "AM4.5": 480,
	"AM3.3": 30, "AM6.3": 45, "AM6.4": 30,
}

// tell writes the facts of one country.
func (h *history) tell(p *plan) {
	for i := range p.roles {
		r := &p.roles[i]
		r.kit.Partners = h.partners(p.country, i)
		for level := 1; level <= 6; level++ {
			q := r.shows[level]
			if q < 0 || level == 1 && i == 1 {
				continue
			}
			at := h.when(q, 0.1+0.5*h.rand.Float64()).Add(time.Duration(level) * time.Minute)
			if q > 0 {
				r.kit.Event = h.eventOf(q)
			}
			if level == 1 {
				r.kit.Add(ledger.Fact{
					Kind: ledger.Nomination, Asserter: "ms:" + p.country, Verifier: "commission:desk", HappenedAt: at,
					Body: ledger.Body{Function: "coordinator"},
				})
			}
			h.show(p, r.kit, level, at)
		}
	}
	if p.back != 0 {
		h.stepBack(p)
	}
	if p.atRisk {
		h.stopProbes(p)
	}
	if p.final == 3 && p.back == 0 && h.rand.IntN(2) == 0 {
		at := h.when(Quarters-2, h.rand.Float64())
		p.roles[0].kit.Block("hindering", "Answers of the base register are slow", at.AddDate(0, 5, 0), at)
	}
}

// show shows the criteria of a level and renews them until now.
func (h *history) show(p *plan, k *Kit, level int, at time.Time) {
	for _, c := range Criteria {
		if int(c[2]-'0') != level {
			continue
		}
		h.note(k, c, at)
		k.Show(c, at)
		if days := renewals[c]; days > 0 {
			for t := at.AddDate(0, 0, days); t.Before(h.now); t = t.AddDate(0, 0, days) {
				h.note(k, c, t)
				k.Show(c, t)
			}
		}
		var again func(time.Time)
		switch c {
		case "AM4.1":
			for t := at.AddDate(0, 0, 330); t.Before(h.now); t = t.AddDate(0, 0, 330) {
				for item := 11; item <= 15; item++ {
					k.Check(fmt.Sprint(item), t)
				}
			}
		case "AM4.6":
			again = k.ProbeAll
		case "AM5.2":
			again = func(t time.Time) { k.Observe(ledger.ProductionEnv, k.authority(), t) }
			h.authorities(k, level, at)
		case "AM6.2":
			again = func(t time.Time) { k.Probe("public-link", k.link(""), t) }
			h.authorities(k, level, at)
		case "AM6.5":
			again = func(t time.Time) { k.Probe("support-link", k.link("/support"), t) }
		}
		if again != nil {
			for t := at.AddDate(0, 0, 28); t.Before(h.now); t = t.AddDate(0, 0, 28) {
				again(t)
			}
		}
	}
}

// note remembers which pairs the criterion's tests verify.
func (h *history) note(k *Kit, criterion string, at time.Time) {
	switch criterion {
	case "AM3.4":
		h.verified(k.Country, k.Partners[0], k.Role, at)
	case "AM4.2": // TC06 is its third case
		h.verified(k.Country, k.Partners[0], k.Role, at)
	}
}

func (h *history) verified(country, partner string, r ledger.Role, at time.Time) {
	cell := [2]string{country, partner}
	if r == ledger.Provider {
		cell = [2]string{partner, country}
	}
	if at.After(h.cells[cell]) {
		h.cells[cell] = at
	}
}

// authorities adds some more connected authorities, for breadth.
func (h *history) authorities(k *Kit, level int, at time.Time) {
	procedures := []string{"R1", "S1", "T1", "T2", "T3", "U1", "V1", "W1", "X1"}
	types := []string{"birth", "residence", "diploma", "income", "insurance", "company", "marriage"}
	for i := range h.rand.IntN(3 * level) {
		t := at.AddDate(0, 0, 10+h.rand.IntN(200))
		if t.After(h.now) {
			continue
		}
		k.Add(ledger.Fact{
			Kind: ledger.AuthorityConnection, Asserter: "ms:" + k.Country, Verifier: "commission:desk",
			Environment: ledger.ProductionEnv, HappenedAt: t,
			Subject: ledger.Subject{Role: k.Role, Authority: fmt.Sprintf("%s-%d-%d", k.authority(), level, i+2)},
			Body: ledger.Body{
				State: "connected", Procedures: procedures[h.rand.IntN(len(procedures)):],
				EvidenceTypes: []string{"https://sr.example/evidencetypes/" + types[h.rand.IntN(len(types))]},
			},
		})
	}
}

// partners are three countries to test with: those whose other side is ready
// first, drawn from the better half.
func (h *history) partners(country string, side int) []string {
	var list []*plan
	for _, p := range h.plans {
		if p.country != country && p.roles[1-side].shows[3] >= 0 {
			list = append(list, p)
		}
	}
	h.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	slices.SortStableFunc(list, func(a, b *plan) int {
		return cmp.Compare(a.roles[1-side].shows[3]/3, b.roles[1-side].shows[3]/3)
	})
	n := h.rand.IntN(4)
	return []string{list[n].country, list[n+1].country, list[n+2].country}
}

// stepBack lets a blocking item open, so that level 4 is lost, and the demotion
// be confirmed by two officers.
func (h *history) stepBack(p *plan) {
	k := p.roles[0].kit
	at := h.when(p.back, 0.2)
	k.Block("blocking", "The access point is replaced by another product", at.AddDate(0, 9, 0), at)
	k.Add(ledger.Fact{
		Kind: ledger.Decision, Asserter: "commission:officer-1", Verifier: "commission:officer-2", HappenedAt: h.when(p.back, 0.8),
		Body: ledger.Body{Action: "confirm", Level: 3, Reason: "The access point is being replaced; level 4 is shown again when its tests are repeated."},
	})
}

// stopProbes ends the country's probes 42 days before now, so that the last ones
// lapsed 12 days ago and their grace still runs.
func (h *history) stopProbes(p *plan) {
	stop := h.now.AddDate(0, 0, -42)
	for i := range p.roles {
		k := p.roles[i].kit
		k.Facts = slices.DeleteFunc(k.Facts, func(f ledger.Fact) bool {
			return f.Kind == ledger.Probe && !f.HappenedAt.Before(stop)
		})
	}
	p.roles[0].kit.ProbeAll(stop)
}

// pairs fills the matrix up to the wanted number of verified pairs, and adds
// some that are partly verified, failed or still wait for a verdict.
func (h *history) pairs() {
	type pair struct{ a, b *plan }
	var open []pair
	for _, a := range h.plans {
		for _, b := range h.plans {
			if a != b && a.roles[0].shows[3] >= 0 && b.roles[1].shows[3] >= 0 {
				open = append(open, pair{a, b})
			}
		}
	}
	h.rand.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	// Countries that are further test with more partners.
	slices.SortStableFunc(open, func(x, y pair) int {
		return cmp.Compare(y.a.final+y.b.final+h.jitter(y.a, y.b), x.a.final+x.b.final+h.jitter(x.a, x.b))
	})
	more := 0
	for _, p := range open {
		cell := [2]string{p.a.country, p.b.country}
		if _, done := h.cells[cell]; done {
			continue
		}
		q := min(Quarters-1, max(p.a.roles[0].shows[3], p.b.roles[1].shows[3])+h.rand.IntN(4))
		at := h.when(q, 0.1+0.7*h.rand.Float64())
		test := func(kase, verdict string, at time.Time) {
			p.a.roles[0].kit.PeerAs(kase, p.b.country, verdict, at)
			p.b.roles[1].kit.PeerAs(kase, p.a.country, verdict, at)
		}
		if len(h.cells) < VerifiedPairs {
			for ; at.Before(h.now); at = at.AddDate(0, 16, 0) {
				test("TC01", "verified", at)
				h.cells[cell] = at
			}
			continue
		}
		at = h.when(Quarters-1-h.rand.IntN(3), 0.1+0.7*h.rand.Float64())
		switch more++; {
		case more <= 48:
			test("TC02", "verified", at)
		case more <= 74:
			test("TC01", "failed", at)
		case more <= 90:
			test("TC01", "", at)
		default:
			return
		}
	}
}

// jitter keeps the order of pairs from being a ranking of countries.
func (h *history) jitter(a, b *plan) int {
	return int(digest(a.country, b.country)[0]) % 3
}

// tested are the sample's testing events, by quarter.
var tested = []int{1, 3, 5, 7, 9, 11}

// eventOf is the event of a quarter, if it has one.
func (h *history) eventOf(q int) string {
	if slices.Contains(tested, q) {
		return fmt.Sprintf("sample-event-%d", q/2+1)
	}
	return ""
}

// events adds invented testing events and news.
func (h *history) events() {
	add := func(f ledger.Fact) {
		f.Kind, f.Asserter, f.Sample, f.RecordedAt = ledger.PublicEvent, "operator", true, f.HappenedAt
		f.ID = fmt.Sprintf("sample:event-%02d", len(h.public)+1)
		f.Body.Source = "Sample data of this site; nothing of it happened"
		h.public = append(h.public, f)
	}
	themes := []string{"population", "education", "business", "vehicles", "preview", "real users"}
	for i, q := range tested {
		at := h.when(q, 0.15)
		if !at.AddDate(0, 0, 2).Before(h.now) {
			at = h.when(q, 0.05)
		}
		teams := 12 + 2*i
		var taking []string
		for _, p := range h.plans {
			if len(taking) < teams && p.roles[0].shows[2] >= 0 && p.roles[0].shows[2] <= q {
				taking = append(taking, p.country)
			}
		}
		add(ledger.Fact{HappenedAt: at, Body: ledger.Body{
			Event: h.eventOf(q), Title: fmt.Sprintf("Sample testing event %d", i+1), Place: "Sampleville", Theme: themes[i],
			Ends: at.AddDate(0, 0, 2), Taking: taking, Totals: map[string]int{"teams": len(taking), "tests_completed": 30*len(taking) + 7*i},
		}})
	}
	for i, title := range []string{
		"Sample news: the first country opens a service to the public",
		"Sample news: two countries exchange a birth certificate",
		"Sample news: the criteria set AM-1 is explained",
		"Sample news: two hundred pairs verified",
	} {
		add(ledger.Fact{HappenedAt: h.when(3+2*i, 0.7), Body: ledger.Body{Title: title, Theme: "news", Note: "An invented story that shows how news look."}})
	}
}
