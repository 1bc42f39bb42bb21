package ledger

import "time"

// Rule is the row of a kind: who may say it, who verifies it, which fields it
// has and how long it holds. Fields are named as in a facts file:
// "subject.role", "body.suite". Every fact has id, kind, asserter and
// happened_at, and may have specification, valid_from, valid_until, evidence,
// sample and body.note; Needs and May name what stands beside those.
type Rule struct {
	Kind      Kind
	About     string   // one line for the documentation
	Asserters []string // classes of parties that may assert it; nil: any
	// Verifiers are the classes of parties whose verification the kind asks
	// for, in the fact itself or in a verdict. Nil: none is asked for. A fact
	// without the verification that its kind asks for carries no criterion.
	Verifiers   []string
	Environment bool // the environment is required
	Needs       []string
	May         []string
	// Codes narrow what a field may hold.
	Codes map[string][]string
	// Months and Days after Fact.From end the validity when the fact names no
	// end; both zero: it holds until another fact ends it, as Lasts says.
	Months, Days int
	Lasts        string

	more func(*Fact) *Refusal // what no table can say
}

// Kinds has a row for every kind (order of the specification's table).
var Kinds = []Rule{
	{
		Kind: Nomination, About: "a national coordinator or technical contact point is nominated (the function, never the person)",
		Asserters: []string{"ms", "coordinator"}, Verifiers: []string{"commission"},
		Needs: []string{"subject.country", "body.function"}, May: []string{"body.until"},
		Lasts: "until replaced",
	},
	{
		Kind: Component, About: "a component of a system exists, with its role and automation, or is planned for a date",
		Asserters: []string{"ms", "coordinator", "team"}, Verifiers: []string{"manager", "commission"},
		Needs: []string{"subject.country", "subject.role", "subject.system", "subject.component"},
		May:   []string{"subject.authority", "body.mode", "body.lines", "body.version", "body.planned_for", "body.exempt"},
		Lasts: "until replaced",
		more: func(f *Fact) *Refusal {
			if (f.Body.Mode == "") == f.Body.PlannedFor.IsZero() {
				return &Refusal{Field: "body.mode", Reason: "a component has a mode (" + oneOf(Modes) + "), or planned_for while it is missing: exactly one of the two"}
			}
			return nil
		},
	},
	{
		Kind: Conformance, About: "outcome of a test case, or of a whole suite when no case is named, for a component version",
		Asserters: []string{"platform", "team"}, Verifiers: []string{"platform", "reviewer"}, Environment: true,
		Needs:  []string{"subject.country", "body.suite", "body.outcome"},
		May:    []string{"subject.role", "subject.system", "subject.component", "subject.partner", "body.case", "body.variant", "body.version", "body.catalogue", "body.event", "body.causes", "body.mode"},
		Codes:  map[string][]string{"body.outcome": Outcomes},
		Months: 12, Lasts: "12 months",
	},
	{
		Kind: PeerTest, About: "a pairwise test as one of its two teams reports it",
		Asserters: []string{"team", "ms"}, Verifiers: []string{"monitor"}, Environment: true,
		Needs:  []string{"subject.country", "subject.role", "subject.partner", "body.case", "body.outcome"},
		May:    []string{"subject.system", "subject.component", "subject.authority", "body.suite", "body.variant", "body.version", "body.catalogue", "body.event", "body.causes", "body.mode"},
		Codes:  map[string][]string{"body.outcome": Outcomes},
		Months: 18, Lasts: "18 months",
	},
	{
		Kind: ReadinessCheck, About: "an item of the readiness checklist, or the result of a session",
		Asserters: []string{"ms", "coordinator", "platform"}, Verifiers: []string{"expert", "commission"}, Environment: true,
		Needs:  []string{"subject.country", "body.item", "body.outcome"},
		May:    []string{"subject.role", "subject.system", "subject.component", "subject.authority", "body.until", "body.reason", "body.event", "body.causes"},
		Codes:  map[string][]string{"body.item": readinessItems, "body.outcome": ReadinessResult},
		Months: 12, Lasts: "12 months",
	},
	{
		Kind: Probe, About: "what the platform found when it tried a public end point",
		Asserters: []string{"platform"}, Verifiers: []string{"platform"}, Environment: true,
		Needs: []string{"subject.country", "body.item", "body.outcome"},
		May:   []string{"subject.role", "subject.system", "subject.component", "subject.authority", "subject.partner", "body.target", "body.causes"},
		Codes: map[string][]string{"body.item": ProbeItems, "body.outcome": {"pass", "pass_with_warnings", "fail", "error"}},
		Days:  30, Lasts: "30 days",
	},
	{
		Kind: DirectoryObservation, About: "what the Evidence Broker and the Data Service Directory publish for the country: procedure (with its requirements), evidence-type (with a data service), data-service, authority, or a revision by the country's clerk",
		Asserters: []string{"platform"}, Verifiers: []string{"platform"}, Environment: true,
		Needs: []string{"subject.country", "body.item"},
		May:   []string{"subject.role", "subject.system", "subject.component", "subject.authority", "body.count", "body.procedures", "body.evidence_types", "body.lines", "body.version"},
		Codes: map[string][]string{"body.item": DirectoryItems},
		Days:  7, Lasts: "7 days",
	},
	{
		Kind: AuthorityConnection, About: "an authority, in a role, and how far its connection is",
		Asserters: []string{"ms", "coordinator", "authority"}, Verifiers: []string{"commission"}, Environment: true,
		Needs: []string{"subject.country", "subject.role", "subject.authority", "body.state"},
		May:   []string{"subject.system", "subject.component", "body.procedures", "body.evidence_types", "body.link", "body.support_link", "body.lines"},
		Codes: map[string][]string{"body.state": ConnectionState},
		Lasts: "until withdrawn",
	},
	{
		Kind: TransactionAttestation, About: "one exchange as one side saw it (salted hashes, times to the minute), or a month's aggregate",
		Asserters: []string{"ms", "coordinator", "team", "authority"}, Verifiers: []string{"platform"}, Environment: true,
		Needs: []string{"subject.country", "subject.role"},
		May:   []string{"subject.partner", "subject.authority", "subject.system", "body.request_hash", "body.message_hash", "body.real_user", "body.outcome", "body.procedures", "body.evidence_types", "body.lines", "body.period", "body.sent", "body.answered"},
		Codes: map[string][]string{"body.outcome": {"pass", "fail"}},
		Lasts: "permanent as a milestone, 90 days as activity",
		more:  attestation,
	},
	{
		Kind: Blocker, About: "a technical item that blocks or hinders readiness; closed by a blocker fact that points at it with closed=true",
		Asserters: []string{"ms", "coordinator", "expert", "commission"},
		Needs:     []string{"subject.country", "body.severity"},
		May:       []string{"points_at", "environment", "subject.role", "subject.system", "subject.component", "subject.authority", "body.owner", "body.due", "body.closed", "body.reason", "body.title"},
		Codes:     map[string][]string{"body.severity": Severities},
		Lasts:     "until closed",
	},
	{
		Kind: Incident, About: "an outage, a security issue or a certificate's end; closed by an incident fact that points at it with closed=true",
		Verifiers: []string{"commission"},
		Needs:     []string{"subject.country", "body.item"},
		May:       []string{"points_at", "subject.role", "subject.system", "subject.component", "subject.authority", "subject.partner", "body.severity", "body.closed", "body.reason", "body.title", "body.until"},
		Codes:     map[string][]string{"body.item": IncidentItems, "body.severity": Severities},
		Lasts:     "until closed",
	},
	{
		Kind: Decision, About: "confirm, hold, freeze, override or correct a level, with the reason",
		Asserters: []string{"commission", "ms", "coordinator"}, Verifiers: []string{"commission"},
		Needs: []string{"subject.country", "body.action", "body.reason"},
		May:   []string{"points_at", "subject.role", "body.level", "body.until"},
		Codes: map[string][]string{"body.action": Actions},
		Lasts: "permanent; freeze and override end with until",
		more:  decision,
	},
	{
		Kind: PublicationConsent, About: "a coordinator agrees that a milestone and its date are shown",
		Asserters: []string{"ms", "coordinator"},
		Needs:     []string{"subject.country", "body.item"},
		May:       []string{"points_at", "subject.partner", "subject.role", "body.reason"},
		Codes:     map[string][]string{"body.item": Milestones},
		Lasts:     "until withdrawn",
	},
	{
		Kind: PublicEvent, About: "a dated public fact with its source; never carries a level",
		Asserters: []string{"operator", "commission"},
		Needs:     []string{"body.title", "body.source"},
		May:       []string{"subject.country", "body.url", "body.link", "body.place", "body.ends", "body.theme", "body.claim", "body.totals", "body.countries", "body.event", "body.period"},
		Lasts:     "permanent",
	},
	{
		Kind: Verdict, About: "verified, partially verified or failed, on the fact it points at; asserted by a party that may verify that fact's kind",
		Asserters: []string{"monitor", "expert", "commission", "manager", "reviewer", "platform"},
		Verifiers: []string{"monitor", "expert", "commission", "reviewer"},
		Needs:     []string{"points_at", "subject.country", "body.outcome"},
		May:       []string{"subject.role", "subject.system", "subject.component", "subject.authority", "subject.partner", "body.case", "body.variant", "body.event", "body.causes", "body.reason"},
		Codes:     map[string][]string{"body.outcome": Verdicts},
		Lasts:     "as the fact it points at",
	},
	{
		Kind: Withdrawal, About: "takes back the fact it points at; asserted by whoever asserted that, or the Commission",
		Needs: []string{"points_at"}, May: append([]string{"body.reason"}, subjectFields...),
		Lasts: "as the fact it points at",
	},
	{
		Kind: Correction, About: "takes the place of the fact it points at, whose kind's fields it carries; that fact is no correction or withdrawal",
		Needs: []string{"points_at"}, May: append([]string{"verifier"}, append(subjectFields, bodyFields...)...),
		Lasts: "as the fact it points at",
	},
}

var subjectFields = names(subjectRows, "subject.")
var bodyFields = names(bodyRows, "body.")

var readinessItems = func() []string {
	items := []string{"session"}
	for n := range 26 {
		items = append(items, string(appendInt(nil, int64(n+1))))
	}
	return items
}()

func attestation(f *Fact) *Refusal {
	b := &f.Body
	switch one := b.RequestHash != "" || b.MessageHash != ""; {
	case one && b.Period != "":
		return &Refusal{Field: "body.period", Reason: "an attestation is about one exchange (request_hash, message_hash) or about a month (period), not both"}
	case !one && b.Period == "":
		return &Refusal{Field: "body.request_hash", Reason: "an attestation needs request_hash and message_hash of one exchange, or the period of a monthly aggregate"}
	case one && b.RequestHash == "":
		return &Refusal{Field: "body.request_hash", Reason: "is missing; one exchange is known by both hashes"}
	case one && b.MessageHash == "":
		return &Refusal{Field: "body.message_hash", Reason: "is missing; one exchange is known by both hashes"}
	case one && f.Subject.Partner == "":
		return &Refusal{Field: "subject.partner", Reason: "is missing; an exchange has two countries"}
	case one && (b.Sent != 0 || b.Answered != 0):
		return &Refusal{Field: "body.sent", Reason: "belongs to a monthly aggregate"}
	case b.Answered > b.Sent:
		return &Refusal{Field: "body.answered", Reason: "is more than were sent"}
	}
	return nil
}

func decision(f *Fact) *Refusal {
	b := &f.Body
	if PartyClass(f.Asserter) != "commission" && b.Action != "confirm" && b.Action != "hold" {
		return &Refusal{Field: "body.action", Reason: "a coordinator may confirm or hold; the Commission decides the rest"}
	}
	if b.Action == "override" && b.Level == 0 {
		return &Refusal{Field: "body.level", Reason: "is missing; an override names a level from 1 to 6"}
	}
	if (b.Action == "override" || b.Action == "freeze") && b.Until.IsZero() {
		return &Refusal{Field: "body.until", Reason: "is missing; a freeze or an override ends on a date"}
	}
	return nil
}

// RuleOf is the row of a kind; nil for a kind that does not exist.
func RuleOf(k Kind) *Rule {
	for i := range Kinds {
		if Kinds[i].Kind == k {
			return &Kinds[i]
		}
	}
	return nil
}

// From is when the fact begins to hold: ValidFrom, else HappenedAt, else
// RecordedAt.
func (f *Fact) From() time.Time {
	switch {
	case !f.ValidFrom.IsZero():
		return f.ValidFrom
	case !f.HappenedAt.IsZero():
		return f.HappenedAt
	}
	return f.RecordedAt
}

// Until is when the fact ceases to hold: ValidUntil, else From and the kind's
// default validity. The zero time means that nothing but another fact ends it.
func (f *Fact) Until() time.Time {
	if !f.ValidUntil.IsZero() {
		return f.ValidUntil
	}
	for i := range validities {
		if v := &validities[i]; v.kind == f.Kind {
			return f.From().AddDate(0, v.months, v.days)
		}
	}
	return time.Time{}
}

// HoldsAt tells whether t lies in the fact's validity: From ≤ t < Until. It
// knows nothing of verdicts, withdrawals and corrections.
func (f *Fact) HoldsAt(t time.Time) bool {
	if t.Before(f.From()) {
		return false
	}
	end := f.Until()
	return end.IsZero() || t.Before(end)
}

// validities are the kinds that end by themselves, taken out of Kinds once.
var validities = func() (vs []validity) {
	for _, r := range Kinds {
		if r.Months != 0 || r.Days != 0 {
			vs = append(vs, validity{r.Kind, r.Months, r.Days})
		}
	}
	return vs
}()

type validity struct {
	kind         Kind
	months, days int
}
