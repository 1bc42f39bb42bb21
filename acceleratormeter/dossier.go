package acceleratormeter

import (
	"slices"
	"strings"
	"time"

	"github.com/once-only/oots/ledger"
)

// dossier is what one country can show at an instant: corrections, withdrawals
// and verdicts resolved, facts sorted by what criteria ask for. A fact that has
// lapsed stays in while its grace runs.
type dossier struct {
	e   *Engine
	pol *Policy
	cc  uint8
	at  int64

	horizon     int64 // the farthest date of a plan
	first       slot  // any fact at all; AM1.1
	sample      bool
	nominations map[word]slot
	declared    map[declKey][]seen // latest first: that one is in force
	plans       map[declKey]slot   // by component and role
	results     map[resultKey]*results
	peers       map[peerKey][]peer
	checks      map[word]*results
	probes      map[probeKey]*results
	seen        []seen // directory observations
	connections map[connKey]seen
	own, far    []rec // attestations of single exchanges in production: ours, our partners'
	months      [3]slot
	blockers    []rec
	consents    []rec
	awaited     map[waiting]string // facts that only lack their verification
	matched     []exchange
}

// seen is a fact with its slot.
type seen struct {
	slot
	rec
}

// waiting names what a fact without its verification would carry.
type waiting struct {
	kind kind
	what word
	comp uint8
	role uint8
}

// slot is a fact that can carry something, with when it ceases to hold.
type slot struct {
	id    string
	by    string // id of the verdict that verified it, if one did
	until int64  // never: by another fact only
	grace int64  // microseconds that it counts on after until
	at    int64  // when it happened
}

func (s slot) ok() bool { return s.id != "" }

// better prefers what holds longer; then the older; then the smaller id, so that
// the order of facts does not matter.
func (s slot) better(t slot) bool {
	switch {
	case !t.ok() || !s.ok():
		return s.ok() && !t.ok()
	case s.until != t.until:
		return s.until > t.until
	case s.at != t.at:
		return s.at < t.at
	}
	return s.id < t.id
}

type declKey struct {
	system word
	comp   uint8
	role   uint8
}

type resultKey struct {
	suite, kase, system, version word
	comp, role                   uint8
}

// results are the runs of one test, check or probe: a failure takes away every
// pass that is not younger.
type results struct {
	failed int64
	passes []pass
}

type pass struct {
	slot
	env, x uint8
	spec   word
}

// best is the pass that holds longest among those after the last failure.
func (r *results) best(env uint8, not uint8) (out pass) {
	if r == nil {
		return
	}
	for _, p := range r.passes {
		if p.at > r.failed && p.env >= env && p.x&not == 0 && p.better(out.slot) {
			out = p
		}
	}
	return
}

type peerKey struct {
	role uint8
	kase word
}

type peer struct {
	slot
	partner, env, x uint8
}

type probeKey struct {
	item, target word
	env          uint8
}

type connKey struct {
	authority word
	role, env uint8
}

func (e *Engine) dossier(pol *Policy, cc int, at int64) *dossier {
	d := &dossier{
		e: e, pol: pol, cc: uint8(cc), at: at,
		horizon:     time.UnixMicro(at).UTC().AddDate(0, pol.PlanMonths, 0).UnixMicro(),
		nominations: map[word]slot{}, declared: map[declKey][]seen{}, plans: map[declKey]slot{}, awaited: map[waiting]string{},
		results: map[resultKey]*results{}, peers: map[peerKey][]peer{}, checks: map[word]*results{},
		probes: map[probeKey]*results{}, connections: map[connKey]seen{},
	}
	g := &e.groups[cc]
	for k := nomination; k < verdict; k++ {
		for i := range g.recs[k] {
			if r, ok := e.resolve(&g.recs[k][i], at); ok {
				d.file(r)
			}
		}
	}
	slices.SortFunc(d.blockers, func(a, b rec) int { return strings.Compare(a.id, b.id) })
	for _, list := range d.declared {
		slices.SortFunc(list, func(a, b seen) int {
			if later(&a.rec, &b.rec) {
				return -1
			}
			return 1
		})
	}
	d.match()
	return d
}

// resolve tells what a fact says at an instant: itself, its correction, or
// nothing when it was withdrawn, is not yet recorded or has not begun.
func (e *Engine) resolve(r *rec, at int64) (*rec, bool) {
	if r.recorded > at {
		return nil, false
	}
	if len(e.taken) > 0 {
		if taken := e.taken[r.id]; taken != nil {
			var ok bool
			if r, ok = e.replaced(r, taken, at); !ok {
				return nil, false
			}
		}
	}
	return r, r.from <= at
}

// replaced applies the withdrawals and corrections of a fact: whoever asserted
// it, or the Commission, may take back or correct. The latest correction that
// is not itself withdrawn wins.
func (e *Engine) replaced(r *rec, taken []rec, at int64) (*rec, bool) {
	var last *rec
	for i := range taken {
		t := &taken[i]
		if t.recorded > at || !e.mayTake(t, r) {
			continue
		}
		if t.kind == withdrawal {
			return nil, false
		}
		if e.withdrawn(t, at) || t.country != r.country {
			continue
		}
		if last == nil || t.recorded > last.recorded || t.recorded == last.recorded && t.id > last.id {
			last = t
		}
	}
	if last == nil {
		return r, true
	}
	c := *last
	c.kind, c.points = r.kind, r.points
	// It holds as the fact that it replaces, unless it says otherwise.
	c.happened = r.happened
	if c.from == 0 {
		c.from = r.from
	} else {
		c.happened = c.from
	}
	if c.until == 0 {
		f := ledger.Fact{Kind: kindNames[r.kind], ValidFrom: instant(c.from)}
		c.until = micros(f.Until())
	}
	return &c, true
}

func (e *Engine) withdrawn(r *rec, at int64) bool {
	for i := range e.taken[r.id] {
		if t := &e.taken[r.id][i]; t.kind == withdrawal && t.recorded <= at && e.mayTake(t, r) {
			return true
		}
	}
	return false
}

func (e *Engine) mayTake(t, r *rec) bool {
	return t.asserter == r.asserter || e.words.who[t.asserter].class == "commission"
}

// verdict is the latest verdict on a fact by a party that may give one: of the
// classes that the kind asks for, and employed by none of the two countries.
func (e *Engine) verdict(r *rec, at int64) *rec {
	said := e.groups[r.country].said[r.id]
	var last *rec
	for i := range said {
		v := &said[i]
		if v.kind != verdict || v.recorded > at || !e.mayVerify(v.asserter, r) || e.withdrawn(v, at) {
			continue
		}
		if last == nil || v.recorded > last.recorded || v.recorded == last.recorded && v.id > last.id {
			last = v
		}
	}
	if last != nil {
		if taken := e.taken[last.id]; taken != nil {
			last, _ = e.replaced(last, taken, at)
		}
	}
	return last
}

func (e *Engine) mayVerify(by word, r *rec) bool {
	p := e.words.who[by]
	if p.employer == int(r.country) || r.partner != 0 && p.employer == int(r.partner)-1 {
		return false
	}
	for _, class := range verifiers[r.kind] {
		if class == p.class {
			return true
		}
	}
	return false
}

// verifiers are the classes of parties that each kind asks for; none: nobody is
// asked. They are the ledger's.
var verifiers = func() (v [nKinds][]string) {
	for k, name := range kindNames {
		if rule := ledger.RuleOf(name); rule != nil {
			v[k] = rule.Verifiers
		}
	}
	return v
}()

// verified tells whether a fact has the verification that its kind asks for. A
// verdict outweighs the fact's own field; what the platform says itself and may
// verify needs nobody else.
func (e *Engine) verified(r *rec, at int64) (verdict string, ok bool) {
	if len(verifiers[r.kind]) == 0 {
		return "", true
	}
	if v := e.verdict(r, at); v != nil {
		return v.id, v.outcome == wVerified || v.outcome == wPartly && v.x&partners != 0
	}
	if r.kind == peerTest {
		return "", false // only a verdict speaks for a pair
	}
	by := r.verifier
	if by == wNone {
		by = r.asserter
	}
	return "", (by != r.asserter || e.words.who[by].class == "platform") && e.mayVerify(by, r)
}

// slot gives the fact as a carrier. It is not alive when it has lapsed and its
// grace too; a living one without the verification that its kind asks for is
// only awaited.
func (d *dossier) slot(r *rec, graceDays int) (s slot, alive, verified bool) {
	s = slot{id: r.id, until: r.until, grace: int64(graceDays) * day, at: r.happened}
	if s.at == 0 {
		s.at = r.from
	}
	if s.until == 0 {
		s.until = never
	}
	alive = s.until == never || s.until+s.grace > d.at
	if !alive && r.outcome != wFail && r.kind != component && r.kind != connection {
		return s, false, false // nobody asks who verified it
	}
	s.by, verified = d.e.verified(r, d.at)
	return s, alive, verified
}

// file puts a resolved fact where criteria look for it.
func (d *dossier) file(r *rec) {
	if r.country != d.cc {
		// A partner's word about an exchange with this country.
		if r.kind == consent {
			d.consents = append(d.consents, *r)
		} else if r.env == 4 && r.more.request != "" {
			d.far = append(d.far, *r)
		}
		return
	}
	if r.kind != decision {
		if s := (slot{id: r.id, until: never, at: r.recorded}); s.better(d.first) {
			d.first = s
		}
	}
	d.sample = d.sample || r.x&invented != 0
	grace := d.pol.GraceDays
	switch r.kind {
	case nomination:
		s, alive, verified := d.slot(r, grace)
		switch {
		case alive && verified && s.better(d.nominations[r.item]):
			d.nominations[r.item] = s
		case alive && !verified:
			d.await(waiting{kind: nomination, what: r.item}, r.id)
		}
	case component:
		d.fileComponent(r)
	case conformance:
		key := resultKey{r.suite, r.kase, r.system, r.version, r.comp, r.role}
		keep(d, d.results, key, r, grace)
	case peerTest:
		d.filePeer(r)
	case readiness:
		if r.env < 4 {
			return
		}
		days := grace
		if d.e.words.text[r.item] == "1" { // production certificate
			days = d.pol.ProbeGraceDays
		}
		keep(d, d.checks, r.item, r, days)
	case probe:
		keep(d, d.probes, probeKey{r.item, r.link, r.env}, r, d.pol.ProbeGraceDays)
	case observation:
		if s, alive, verified := d.slot(r, grace); alive && verified {
			d.seen = append(d.seen, seen{s, *r})
		}
	case connection:
		s, _, verified := d.slot(r, grace)
		if !verified {
			d.await(waiting{kind: connection, role: r.role}, r.id)
			return
		}
		key := connKey{r.authority, r.role, r.env}
		if old, ok := d.connections[key]; !ok || later(r, &old.rec) {
			d.connections[key] = seen{s, *r}
		}
	case attestation:
		switch {
		case r.env < 4:
		case r.more.request != "":
			d.own = append(d.own, *r)
		default:
			s := slot{id: r.id, until: never, at: r.from}
			if s.better(d.months[r.role]) {
				d.months[r.role] = s
			}
		}
	case blocker:
		if r.x&closed == 0 && (r.until == 0 || r.until > d.at) && !d.closed(r) {
			d.blockers = append(d.blockers, *r)
		}
	case consent:
		d.consents = append(d.consents, *r)
	}
}

func later(a, b *rec) bool {
	switch {
	case a.from != b.from:
		return a.from > b.from
	case a.recorded != b.recorded:
		return a.recorded > b.recorded
	}
	return a.id > b.id
}

// await remembers a fact that lacks only its verification: the smallest id.
func (d *dossier) await(w waiting, id string) {
	if old, ok := d.awaited[w]; !ok || id < old {
		d.awaited[w] = id
	}
}

// keep files a result: a pass, or the failure that takes passes away.
func keep[K comparable](d *dossier, m map[K]*results, key K, r *rec, grace int) {
	var good bool
	switch r.outcome {
	case wPass, wWarn, wWaived:
		good = true
	case wConditions:
		good = d.pol.ConditionsCount
		if !good {
			return
		}
	case wFail:
	default:
		return // the platform's error, unsupported, not applicable: says nothing
	}
	s, alive, verified := d.slot(r, grace)
	if good && !alive || !verified {
		return
	}
	h := m[key]
	if h == nil {
		h = &results{failed: -1 << 62}
		m[key] = h
	}
	if !good {
		h.failed = max(h.failed, s.at)
		return
	}
	h.passes = append(h.passes, pass{s, r.env, r.x, r.spec})
}

func (d *dossier) fileComponent(r *rec) {
	if due := r.more.planned; due != 0 && (r.until == 0 || due < r.until) {
		// A plan holds until its date has passed.
		r2 := *r
		r2.until = due
		r = &r2
	}
	s, alive, verified := d.slot(r, d.pol.GraceDays)
	switch {
	case !verified:
		d.await(waiting{component, wNone, r.comp, r.role}, r.id)
	case r.more.planned != 0:
		key := declKey{wNone, r.comp, r.role}
		if alive && r.more.planned <= d.horizon && s.better(d.plans[key]) {
			d.plans[key] = s
		}
	default:
		key := declKey{r.system, r.comp, r.role}
		d.declared[key] = append(d.declared[key], seen{s, *r})
	}
}

// filePeer keeps a pairwise test whose verdict counts: verified, or partially
// verified with every failing part the partner's.
func (d *dossier) filePeer(r *rec) {
	if r.partner == 0 || r.partner-1 == r.country {
		return
	}
	s, alive, verified := d.slot(r, d.pol.GraceDays)
	switch {
	case alive && verified:
		key := peerKey{r.role, r.kase}
		d.peers[key] = append(d.peers[key], peer{s, r.partner - 1, r.env, r.x})
	case alive && s.by == "" && (r.outcome == wPass || r.outcome == wWarn):
		d.await(waiting{peerTest, r.kase, 0, r.role}, r.id)
	}
}

// closed tells whether a later fact of the same kind closes this one.
func (d *dossier) closed(r *rec) bool {
	said := d.e.groups[d.cc].said[r.id]
	for i := range said {
		c := &said[i]
		if c.kind == r.kind && c.x&closed != 0 && c.recorded <= d.at && c.from <= d.at && !d.e.withdrawn(c, d.at) {
			return true
		}
	}
	return false
}
