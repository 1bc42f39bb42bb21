package ledger

import (
	"slices"
	"time"
)

// row is one field of T: its name in a facts file and where it lives. The
// tables of rows are the one description that the reader, the writer, Check and
// the JSON Schema share. at returns a pointer to
// a string, a []string, a time.Time, an int, an int64, a bool, a
// map[string]int, a Subject, a Body or a []Evidence.
type row[T any] struct {
	name  string
	at    func(*T) any
	form  form
	about string
}

// form says what a text may look like.
type form struct {
	codes  []string            // one of these
	wrong  func(string) string // why a text is refused; empty: it is not
	most   int                 // characters (octets) at most; 0: 200
	always bool                // written also when it is empty
	apart  bool                // mostly different in every fact: not interned
	least  int                 // numbers: at least
	top    int                 // numbers: at most; 0: 1,000,000,000
	regex  string              // for the schema
	uri    bool                // for the schema
}

var factRows = []row[Fact]{
	{"id", func(f *Fact) any { return &f.ID }, form{always: true, wrong: wrongID, most: 128, apart: true, regex: `^[A-Za-z0-9._:/-]{1,128}$`}, "chosen by the asserter; makes import idempotent"},
	{"kind", func(f *Fact) any { return (*string)(&f.Kind) }, form{always: true, codes: kindCodes()}, "what sort of fact it is"},
	{"subject", func(f *Fact) any { return &f.Subject }, form{}, "what the fact is about"},
	{"asserter", func(f *Fact) any { return &f.Asserter }, form{always: true, wrong: wrongParty, regex: partyRegex}, "the party that says so"},
	{"verifier", func(f *Fact) any { return &f.Verifier }, form{wrong: wrongParty, regex: partyRegex}, "the party that verified it, when the fact itself carries that"},
	{"environment", func(f *Fact) any { return (*string)(&f.Environment) }, form{codes: texts(Environments)}, "where it was observed"},
	{"specification", func(f *Fact) any { return &f.Specification }, form{wrong: wrongLine, regex: `^oots-[a-z]+:v[0-9]+\.[0-9]+$`}, "specification line on the wire"},
	{"happened_at", func(f *Fact) any { return &f.HappenedAt }, form{}, "when it happened"},
	{"recorded_at", func(f *Fact) any { return &f.RecordedAt }, form{}, "set by the ledger; only an operator's import of history carries it"},
	{"valid_from", func(f *Fact) any { return &f.ValidFrom }, form{}, "begins to hold; absent: happened_at"},
	{"valid_until", func(f *Fact) any { return &f.ValidUntil }, form{}, "ceases to hold; absent: the kind's default validity"},
	{"points_at", func(f *Fact) any { return &f.PointsAt }, form{wrong: wrongID, most: 128, apart: true, regex: `^[A-Za-z0-9._:/-]{1,128}$`}, "id of the fact that this one speaks about"},
	{"evidence", func(f *Fact) any { return &f.Evidence }, form{}, "documents behind the fact, known by their digests"},
	{"sample", func(f *Fact) any { return &f.Sample }, form{}, "true for invented data"},
	{"body", func(f *Fact) any { return &f.Body }, form{}, "the fields of the kind"},
}

var subjectRows = []row[Fact]{
	{"country", func(f *Fact) any { return &f.Subject.Country }, form{codes: Countries, wrong: wrongCountry}, "OOTS country code: EL, never GR"},
	{"role", func(f *Fact) any { return (*string)(&f.Subject.Role) }, form{codes: []string{string(Requester), string(Provider)}}, "side of an exchange"},
	{"system", func(f *Fact) any { return &f.Subject.System }, form{}, "name of a registered system"},
	{"component", func(f *Fact) any { return &f.Subject.Component }, form{codes: componentCodes()}, "part of a system"},
	{"authority", func(f *Fact) any { return &f.Subject.Authority }, form{}, "competent authority, by its identifier"},
	{"partner", func(f *Fact) any { return &f.Subject.Partner }, form{codes: Countries, wrong: wrongCountry}, "the other country of a pair"},
}

var evidenceRows = []row[Evidence]{
	{"sha256", func(e *Evidence) any { return &e.SHA256 }, form{always: true, wrong: wrongDigest, apart: true, regex: `^[0-9a-f]{64}$`}, "digest of the document"},
	{"media_type", func(e *Evidence) any { return &e.MediaType }, form{always: true}, "media type of the document"},
	{"size", func(e *Evidence) any { return &e.Size }, form{always: true}, "octets"},
	{"confidentiality", func(e *Evidence) any { return &e.Confidentiality }, form{codes: Confidentiality}, "who may see the document; absent: own"},
}

var bodyRows = []row[Fact]{
	{"function", func(f *Fact) any { return &f.Body.Function }, form{codes: Functions}, "nominated function"},
	{"mode", func(f *Fact) any { return &f.Body.Mode }, form{codes: Modes}, "how the component works"},
	{"lines", func(f *Fact) any { return &f.Body.Lines }, form{wrong: wrongLine, regex: `^oots-[a-z]+:v[0-9]+\.[0-9]+$`}, "specification lines spoken"},
	{"version", func(f *Fact) any { return &f.Body.Version }, form{}, "component version declared or tested"},
	{"planned_for", func(f *Fact) any { return &f.Body.PlannedFor }, form{}, "date for which a missing component is planned"},
	{"exempt", func(f *Fact) any { return &f.Body.Exempt }, form{}, "preview space: every evidence type offered is exempt from preview"},
	{"suite", func(f *Fact) any { return &f.Body.Suite }, form{wrong: wrongToken, regex: tokenRegex}, "test suite"},
	{"case", func(f *Fact) any { return &f.Body.Case }, form{wrong: wrongToken, regex: tokenRegex}, "test case; absent: the whole suite"},
	{"variant", func(f *Fact) any { return &f.Body.Variant }, form{wrong: wrongToken, regex: tokenRegex}, "variant of the case"},
	{"outcome", func(f *Fact) any { return &f.Body.Outcome }, form{wrong: wrongToken, regex: tokenRegex}, "result; its codes depend on the kind"},
	{"catalogue", func(f *Fact) any { return &f.Body.Catalogue }, form{wrong: wrongToken, regex: tokenRegex}, "version of the test catalogue"},
	{"event", func(f *Fact) any { return &f.Body.Event }, form{wrong: wrongToken, regex: tokenRegex}, "testing event"},
	{"causes", func(f *Fact) any { return &f.Body.Causes }, form{codes: Causes}, "whose fault a failure is"},
	{"item", func(f *Fact) any { return &f.Body.Item }, form{wrong: wrongToken, regex: tokenRegex}, "what was checked, probed or observed; its codes depend on the kind"},
	{"count", func(f *Fact) any { return &f.Body.Count }, form{}, "how many were seen"},
	{"target", func(f *Fact) any { return &f.Body.Target }, form{most: 500}, "public address or name that was probed"},
	{"state", func(f *Fact) any { return &f.Body.State }, form{wrong: wrongToken, regex: tokenRegex}, "state of an authority's connection"},
	{"procedures", func(f *Fact) any { return &f.Body.Procedures }, form{wrong: wrongToken, regex: tokenRegex}, "procedure codes"},
	{"evidence_types", func(f *Fact) any { return &f.Body.EvidenceTypes }, form{most: 500}, "evidence type identifiers"},
	{"link", func(f *Fact) any { return &f.Body.Link }, form{wrong: wrongLink, most: 500, uri: true}, "public address"},
	{"support_link", func(f *Fact) any { return &f.Body.SupportLink }, form{wrong: wrongLink, most: 500, uri: true}, "public address of the support channel"},
	{"request_hash", func(f *Fact) any { return &f.Body.RequestHash }, form{wrong: wrongDigest, apart: true, regex: `^[0-9a-f]{64}$`}, "salted SHA-256 of the request id"},
	{"message_hash", func(f *Fact) any { return &f.Body.MessageHash }, form{wrong: wrongDigest, apart: true, regex: `^[0-9a-f]{64}$`}, "salted SHA-256 of the AS4 message id"},
	{"real_user", func(f *Fact) any { return &f.Body.RealUser }, form{}, "a real person's exchange, not a system check"},
	{"period", func(f *Fact) any { return &f.Body.Period }, form{wrong: wrongPeriod, regex: `^[0-9]{4}-(0[1-9]|1[0-2])$`}, "month of an aggregate"},
	{"sent", func(f *Fact) any { return &f.Body.Sent }, form{}, "requests sent in the month"},
	{"answered", func(f *Fact) any { return &f.Body.Answered }, form{}, "of them answered"},
	{"severity", func(f *Fact) any { return &f.Body.Severity }, form{codes: Severities}, "how bad it is"},
	{"owner", func(f *Fact) any { return &f.Body.Owner }, form{}, "function or unit that mends it, never a person"},
	{"due", func(f *Fact) any { return &f.Body.Due }, form{}, "date by which it is mended"},
	{"closed", func(f *Fact) any { return &f.Body.Closed }, form{}, "it is over"},
	{"action", func(f *Fact) any { return &f.Body.Action }, form{codes: Actions}, "what is decided"},
	{"level", func(f *Fact) any { return &f.Body.Level }, form{least: 1, top: 6}, "level that is decided"},
	{"until", func(f *Fact) any { return &f.Body.Until }, form{}, "end of a decision, a waiver or a condition"},
	{"reason", func(f *Fact) any { return &f.Body.Reason }, form{most: 2000}, "why"},
	{"title", func(f *Fact) any { return &f.Body.Title }, form{most: 500}, "what it is called"},
	{"source", func(f *Fact) any { return &f.Body.Source }, form{most: 500}, "where it was published"},
	{"url", func(f *Fact) any { return &f.Body.URL }, form{wrong: wrongLink, most: 500, uri: true}, "public address of the source"},
	{"place", func(f *Fact) any { return &f.Body.Place }, form{}, "place of an event"},
	{"ends", func(f *Fact) any { return &f.Body.Ends }, form{}, "end of an event; happened_at is its beginning"},
	{"theme", func(f *Fact) any { return &f.Body.Theme }, form{}, "theme of an event"},
	{"claim", func(f *Fact) any { return &f.Body.Claim }, form{}, "resting on a single national source"},
	{"totals", func(f *Fact) any { return &f.Body.Totals }, form{wrong: wrongToken, regex: tokenRegex}, "published numbers by name"},
	{"countries", func(f *Fact) any { return &f.Body.Taking }, form{codes: Countries, wrong: wrongCountry}, "countries that took part"},
	{"note", func(f *Fact) any { return &f.Body.Note }, form{most: 2000}, "a remark for the reader"},
}

const (
	tokenRegex = `^[A-Za-z0-9._-]{1,100}$`
	partyRegex = `^[a-z]+(:[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?)?$`
)

// unset tells whether the field that p points at holds nothing, so that it is
// left out of a line.
func unset(p any) bool {
	switch p := p.(type) {
	case *string:
		return *p == ""
	case *[]string:
		return len(*p) == 0
	case *time.Time:
		return p.IsZero()
	case *int:
		return *p == 0
	case *int64:
		return *p == 0
	case *bool:
		return !*p
	case *map[string]int:
		return len(*p) == 0
	case *[]Evidence:
		return len(*p) == 0
	}
	return false
}

func names[T any](rows []row[T], prefix string) []string {
	var ns []string
	for _, r := range rows {
		ns = append(ns, prefix+r.name)
	}
	return ns
}

func texts[S ~string](codes []S) []string {
	var ts []string
	for _, c := range codes {
		ts = append(ts, string(c))
	}
	return ts
}

func componentCodes() (cs []string) {
	for _, c := range Components {
		cs = append(cs, c.Code)
	}
	return cs
}

func kindCodes() []string {
	return texts([]Kind{
		Nomination, Component, Conformance, PeerTest, ReadinessCheck, Probe, DirectoryObservation, AuthorityConnection,
		TransactionAttestation, Blocker, Incident, Decision, PublicationConsent, PublicEvent, Verdict, Withdrawal, Correction,
	})
}

// has tells whether a list of field names names this one.
func has(list []string, name string) bool { return slices.Contains(list, name) }
