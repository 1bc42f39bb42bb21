package opendata

import (
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/once-only/oots/ledger"
)

// PublicFact is what everybody may read of a fact. A fact that is not for
// everybody is shown as existing: its place, its digest and its outline.
type PublicFact struct {
	Schema    int         `json:"schema" doc:"version of this form: 1"`
	Position  int64       `json:"position" doc:"place in the ledger, from 0"`
	LeafHash  string      `json:"leaf_hash" doc:"hash of the fact's leaf in the Merkle tree (RFC 6962), base64"`
	Disclosed bool        `json:"disclosed" doc:"whether fact is whole; otherwise its body and parts of its subject are withheld"`
	Withheld  string      `json:"withheld,omitempty" doc:"why the rest is withheld"`
	Fact      ledger.Fact `json:"fact"`
}

// open are the kinds whose content everybody may read. The others are shared
// between the Member States and the Commission, or belong to one country and
// its reviewers.
var open = []ledger.Kind{
	ledger.PublicEvent, ledger.PublicationConsent, ledger.Nomination, ledger.Component, ledger.Conformance,
	ledger.DirectoryObservation, ledger.AuthorityConnection,
}

// whose tells to whom the other kinds belong.
var whose = map[ledger.Kind]string{
	ledger.PeerTest:               "verdicts of a pair are for both countries and the Commission",
	ledger.Verdict:                "verdicts of a pair are for both countries and the Commission",
	ledger.TransactionAttestation: "exchanges of a pair are shown when both countries agree",
	ledger.ReadinessCheck:         "readiness checks are for the country and its reviewers",
	ledger.Probe:                  "network addresses are for the country and its reviewers",
	ledger.Blocker:                "blockers are for the country and its reviewers",
	ledger.Incident:               "incidents are for the country and its reviewers",
	ledger.Decision:               "the reasons of this decision are confidential",
	ledger.Withdrawal:             "it belongs to whoever may read the fact that it takes back",
	ledger.Correction:             "it belongs to whoever may read the fact that it replaces",
}

// Disclosed tells whether everybody may read the whole fact. An override is a
// public decision with its reason; a freeze or a hold is not.
func Disclosed(f *ledger.Fact) bool {
	return slices.Contains(open, f.Kind) || f.Kind == ledger.Decision && (f.Body.Action == "override" || f.Body.Action == "correct")
}

// Disclose is the public form of an entry.
func Disclose(e ledger.Entry) PublicFact {
	p := PublicFact{Schema: Schema, Position: e.Position, Disclosed: Disclosed(&e.Fact), Fact: e.Fact,
		LeafHash: tlog.RecordHash(ledger.AppendLine(nil, &e.Fact)).String()}
	if !p.Disclosed {
		p.Withheld = whose[e.Fact.Kind]
		p.Fact = outline(e.Fact)
	}
	p.Fact.Evidence = evidence(e.Fact.Evidence)
	return p
}

// outline keeps what tells that a fact exists: no partner, no system, no body,
// and of an exchange not its time.
func outline(f ledger.Fact) ledger.Fact {
	out := ledger.Fact{
		ID: f.ID, Kind: f.Kind, Subject: ledger.Subject{Country: f.Subject.Country, Role: f.Subject.Role},
		Asserter: ledger.PartyClass(f.Asserter), Verifier: ledger.PartyClass(f.Verifier),
		Environment: f.Environment, Specification: f.Specification,
		HappenedAt: f.HappenedAt, RecordedAt: f.RecordedAt, ValidFrom: f.ValidFrom, ValidUntil: f.ValidUntil,
		PointsAt: f.PointsAt, Sample: f.Sample,
	}
	if f.Kind == ledger.TransactionAttestation {
		var never time.Time
		out.HappenedAt, out.ValidFrom, out.ValidUntil = never, never, never
	}
	return out
}

// evidence keeps of a document that is not public its digest alone.
func evidence(list []ledger.Evidence) []ledger.Evidence {
	var out []ledger.Evidence
	for _, e := range list {
		if e.Confidentiality != "public" {
			e = ledger.Evidence{SHA256: e.SHA256, Confidentiality: e.Confidentiality}
		}
		out = append(out, e)
	}
	return out
}
