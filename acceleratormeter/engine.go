package acceleratormeter

import (
	"math"
	"time"

	"github.com/once-only/oots/ledger"
)

// Engine holds the facts that levels are computed from, packed and grouped by
// country once, so that a new fact costs one country's re-assessment. It is not
// safe for concurrent writing; Meter guards it. The order in which facts are
// added does not matter.
type Engine struct {
	words  words
	groups [nCountries]group
	// taken are withdrawals and corrections by the fact they point at. They are
	// kept for all countries together: an attestation is read by both sides.
	taken  map[string][]rec
	events []ledger.Fact
	retold map[string][]ledger.Fact // corrections of public events
	count  int
}

const nCountries = 30

// group is what one country is assessed from: its own facts and its partners'
// attestations and consents that name it.
type group struct {
	recs [nKinds][]rec
	said map[string][]rec // verdicts and closings, by the fact they point at
}

// rec is a fact without what no criterion reads: 128 octets instead of a
// thousand. Times are Unix microseconds.
type rec struct {
	id, points                           string
	recorded, from, until, happened      int64 // from 0: as the fact pointed at; until 0: the kind's default
	asserter, verifier, system, version  word
	suite, kase, item, outcome           word
	authority, link, spec                word
	kind                                 kind
	country, partner, role, env, comp, x uint8
	more                                 *more
}

// more is what only few kinds have.
type more struct {
	lines, procedures, evidence []string
	planned, due, limit         int64
	request, message            string
	support, owner              word
	reason                      string
	level                       int
}

// bits of rec.x
const (
	manual   = 1 << iota // not automated: manual or test-tool
	cached               // directory look-ups left out
	atEvent              //
	realUser             //
	closed               //
	exempt               //
	invented             //
	partners             // verdict: every cause is the partner's
)

// kind is the position of a ledger.Kind in kinds.
type kind uint8

const (
	nomination kind = iota
	component
	conformance
	peerTest
	readiness
	probe
	observation
	connection
	attestation
	blocker
	incident
	decision
	consent
	verdict
	nKinds
	withdrawal
	correction
	publicEvent
	unknownKind
)

func kindOf(k ledger.Kind) kind {
	switch k {
	case ledger.Nomination:
		return nomination
	case ledger.Component:
		return component
	case ledger.Conformance:
		return conformance
	case ledger.PeerTest:
		return peerTest
	case ledger.ReadinessCheck:
		return readiness
	case ledger.Probe:
		return probe
	case ledger.DirectoryObservation:
		return observation
	case ledger.AuthorityConnection:
		return connection
	case ledger.TransactionAttestation:
		return attestation
	case ledger.Blocker:
		return blocker
	case ledger.Incident:
		return incident
	case ledger.Decision:
		return decision
	case ledger.PublicationConsent:
		return consent
	case ledger.Verdict:
		return verdict
	case ledger.Withdrawal:
		return withdrawal
	case ledger.Correction:
		return correction
	case ledger.PublicEvent:
		return publicEvent
	}
	return unknownKind
}

var kindNames = [nKinds]ledger.Kind{
	ledger.Nomination, ledger.Component, ledger.Conformance, ledger.PeerTest, ledger.ReadinessCheck, ledger.Probe,
	ledger.DirectoryObservation, ledger.AuthorityConnection, ledger.TransactionAttestation, ledger.Blocker,
	ledger.Incident, ledger.Decision, ledger.PublicationConsent, ledger.Verdict,
}

const (
	noRole uint8 = iota
	asks
	answers
)

func roleOf(r ledger.Role) uint8 {
	switch r {
	case ledger.Requester:
		return asks
	case ledger.Provider:
		return answers
	}
	return noRole
}

// rank orders the environments by how demanding they are; training, user
// acceptance and no environment at all never count.
func rank(e ledger.Environment) uint8 {
	switch e {
	case ledger.Testing:
		return 1
	case ledger.Projectathon:
		return 2
	case ledger.Acceptance:
		return 3
	case ledger.ProductionEnv:
		return 4
	}
	return 0
}

// NewEngine makes an empty engine.
func NewEngine() *Engine {
	e := &Engine{words: newWords(), taken: map[string][]rec{}, retold: map[string][]ledger.Fact{}}
	for i := range e.groups {
		e.groups[i].said = map[string][]rec{}
	}
	return e
}

// Len is the number of facts added.
func (e *Engine) Len() int { return e.count }

// Add takes one more fact in. Its id is expected to be new, as in a ledger. It
// returns the country whose standing may change, and for an exchange the
// partner's; empty for a public event.
func (e *Engine) Add(f *ledger.Fact) (country, partner string) {
	e.count++
	k := kindOf(f.Kind)
	if k == publicEvent {
		e.events = append(e.events, *f)
		return "", ""
	}
	own, ok := place[f.Subject.Country]
	if k == correction && f.Body.Title != "" {
		e.retold[f.PointsAt] = append(e.retold[f.PointsAt], *f)
	}
	switch {
	case k == unknownKind:
		return "", ""
	case !ok && (k == withdrawal || k == correction): // of a public event
		own = nCountries
	case !ok:
		return "", ""
	}
	other, paired := place[f.Subject.Partner]
	r := e.pack(f, k, own, other, paired)
	if k == withdrawal || k == correction {
		e.taken[f.PointsAt] = append(e.taken[f.PointsAt], r)
		return f.Subject.Country, f.Subject.Partner
	}
	g := &e.groups[own]
	switch {
	case k == verdict || (k == blocker || k == incident) && f.PointsAt != "":
		g.said[f.PointsAt] = append(g.said[f.PointsAt], r)
	default:
		g.recs[k] = append(g.recs[k], r)
		if paired && other != own && (k == attestation || k == consent) {
			far := &e.groups[other]
			far.recs[k] = append(far.recs[k], r)
			return f.Subject.Country, f.Subject.Partner
		}
	}
	return f.Subject.Country, ""
}

// pack keeps what criteria read.
func (e *Engine) pack(f *ledger.Fact, k kind, own, other int, paired bool) rec {
	b, w := &f.Body, &e.words
	r := rec{
		id: f.ID, points: f.PointsAt,
		recorded: micros(f.RecordedAt), happened: micros(f.HappenedAt),
		from: micros(f.From()), until: micros(f.Until()),
		asserter: w.of(f.Asserter), verifier: w.of(f.Verifier), spec: w.of(f.Specification),
		system: w.of(f.Subject.System), authority: w.of(f.Subject.Authority),
		outcome: w.of(b.Outcome), version: w.of(b.Version),
		kind: k, country: uint8(own), role: roleOf(f.Subject.Role), env: rank(f.Environment),
		comp: componentOf(f.Subject.Component),
	}
	if paired {
		r.partner = uint8(other) + 1
	}
	if f.Sample {
		r.x |= invented
	}
	switch k {
	case correction:
		// It holds as the fact that it replaces, unless it says otherwise.
		r.from, r.until = micros(f.ValidFrom), micros(f.ValidUntil)
	case nomination, readiness:
		if end := micros(b.Until); end != 0 && f.ValidUntil.IsZero() && (r.until == 0 || end < r.until) {
			r.until = end
		}
	}
	// A correction may carry the fields of any kind.
	r.suite, r.kase = w.of(b.Suite), w.of(b.Case)
	for _, s := range [...]string{b.Function, b.Item, b.State, b.Action, b.Severity, b.Period} {
		if s != "" {
			r.item = w.of(s)
			break
		}
	}
	if b.Link != "" {
		r.link = w.of(b.Link)
	} else {
		r.link = w.of(b.Target)
	}
	r.x |= bit(b.Mode == "manual" || b.Mode == "test-tool", manual) | bit(b.Variant == "cached-directory", cached) |
		bit(b.Event != "", atEvent) | bit(b.RealUser, realUser) | bit(b.Closed, closed) | bit(b.Exempt, exempt)
	if len(b.Causes) > 0 {
		only := true
		for _, c := range b.Causes {
			only = only && c == "partner"
		}
		r.x |= bit(only, partners)
	}
	switch k {
	case component, connection, attestation, blocker, decision, observation, correction:
		r.more = &more{
			lines: b.Lines, procedures: b.Procedures, evidence: b.EvidenceTypes,
			planned: micros(b.PlannedFor), due: micros(b.Due), limit: micros(b.Until),
			request: b.RequestHash, message: b.MessageHash,
			support: w.of(b.SupportLink), owner: w.of(b.Owner), reason: b.Reason, level: b.Level,
		}
	}
	return r
}

func bit(on bool, mask uint8) uint8 {
	if on {
		return mask
	}
	return 0
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 || us == never {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

const (
	never = math.MaxInt64
	day   = int64(24 * time.Hour / time.Microsecond)
)

// word stands for a text that many facts share; 0 is the empty one.
type word uint32

type words struct {
	number map[string]word
	text   []string
	who    []party // by word; filled when a party is first asked for
}

// Words with a fixed number.
const (
	wNone word = iota
	wPass
	wWarn
	wFail
	wConditions
	wWaived
	wVerified
	wPartly
	wFailed
	wCoordinator
	wContact
	wSession
	wConnected
	wOpen
	wBlocking
)

func newWords() words {
	w := words{number: map[string]word{}}
	for _, s := range []string{"", "pass", "pass_with_warnings", "fail", "pass_with_conditions", "waived",
		"verified", "partially_verified", "failed", "coordinator", "technical-contact-point", "session",
		"connected", "open", "blocking"} {
		w.of(s)
	}
	return w
}

func (w *words) of(s string) word {
	if s == "" && len(w.text) > 0 {
		return wNone
	}
	if n, ok := w.number[s]; ok {
		return n
	}
	n := word(len(w.text))
	w.number[s] = n
	w.text = append(w.text, s)
	w.who = append(w.who, partyOf(s))
	return n
}

// find is of without learning a new word; unknown texts match nothing.
func (w *words) find(s string) word {
	if n, ok := w.number[s]; ok {
		return n
	}
	return math.MaxUint32
}

// party is what the rules on who may verify ask of a party.
type party struct {
	class    string
	employer int // place of its country, -1 if it has none
}

// partyOf reads a party. Monitors, experts and officers name the country that
// employs them, if any, before a dash: "monitor:AT-7f3a".
func partyOf(s string) party {
	p := party{ledger.PartyClass(s), -1}
	cc := ledger.PartyCountry(s)
	if cc == "" && len(s) > len(p.class)+1 {
		sign := s[len(p.class)+1:]
		if len(sign) == 2 || len(sign) > 2 && (sign[2] == '-' || sign[2] == '.' || sign[2] == '/') {
			cc = sign[:2]
		}
	}
	if i, ok := place[cc]; ok {
		p.employer = i
	}
	return p
}
