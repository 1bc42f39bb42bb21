package acceleratormeter

import (
	"maps"
	"time"

	"github.com/once-only/oots/ledger"
)

// AM1 is the default criteria set. Its rules are this project's proposal.
func AM1() Criteria {
	return Criteria{
		ID: "AM-1", Version: "1.0", Title: "First proposed set",
		Effective: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
		Policy: Policy{
			Lines:   []string{"oots-edm:v1.2", "oots-edm:v2.0"},
			ShareOf: [2]int{2, 3}, PlanMonths: 6,
			Partners: 3, ConditionsCount: true,
			SystemCheckCounts: true, Tolerance: Span(10 * time.Minute),
			RequiresRealUser: true, ActivityDays: 90,
			GraceDays: 90, ProbeGraceDays: 30, LineGraceDays: 180,
		},
		List: table,
	}
}

// AM1Strict reads every open point of the published wording strictly.
func AM1Strict() Criteria {
	c := AM1()
	c.ID, c.Title = "AM-1-strict", "Strict readings of the same criteria"
	p := &c.Policy
	p.EventBound, p.ConditionsCount, p.SystemCheckCounts, p.BothRoles = true, false, false, true
	p.GraceDays, p.ProbeGraceDays, p.LineGraceDays = 0, 0, 0
	return c
}

// AM1Lenient reads every open point of the published wording leniently.
func AM1Lenient() Criteria {
	c := AM1()
	c.ID, c.Title = "AM-1-lenient", "Lenient readings of the same criteria"
	p := &c.Policy
	p.SelfDeclared, p.RequiresRealUser = true, false
	return c
}

// table is AM-1, one row a criterion: id, level, what it asks in our own words,
// the facts that carry it, the least demanding environment that counts, who can
// supply it, and the check.
var table = []Criterion{
	row("AM1.1", 1, "The country takes part: at least one fact about it is in the ledger.",
		carriedBy(kindNames[:]...), "", ByCountry, takesPart),

	row("AM2.1", 2, "A national coordinator and a technical contact point are nominated and active.",
		carriedBy(ledger.Nomination), "", ByCountry, nominated),
	row("AM2.2", 2, "At least one system is registered and accepted, with a component of this role.",
		carriedBy(ledger.Component), "", ByCountry, registered),
	row("AM2.3", 2, "At least one message of the country's own (a request for a requester, a response for a provider) is valid.",
		carriedBy(ledger.Conformance), ledger.Testing, ByCountry, ownMessage),
	row("AM2.4", 2, "The country's own client has queried the Evidence Broker or the Data Service Directory, or its clerk has revised data in acceptance.",
		carriedBy(ledger.Conformance, ledger.DirectoryObservation), ledger.Testing, ByCountry, ownQuery),

	row("AM3.1", 3, "The access point sends and receives with signed receipts (suite AS4-CONN).",
		carriedBy(ledger.Conformance, ledger.Component), ledger.Testing, ByCountry, connected),
	row("AM3.2", 3, "At least two thirds of the role's components have passed their suites; every other one is planned within six months.",
		carriedBy(ledger.Conformance, ledger.Component, ledger.DirectoryObservation), ledger.Testing, ByCountry, mostProven),
	row("AM3.3", 3, "The country's data are in the directories of the acceptance environment: a procedure with its requirements, or an evidence type with a data service.",
		carriedBy(ledger.DirectoryObservation), ledger.Acceptance, ByCountry, inAcceptance),
	row("AM3.4", 3, "The baseline exchange (TC01, or TC06 with preview) is verified with one other country.",
		carriedBy(ledger.PeerTest, ledger.Verdict), ledger.Projectathon, ByTeams, baseline),
	row("AM3.5", 3, "Every open blocker is listed with an owner and a date.",
		carriedBy(ledger.Blocker), "", ByCountry, ownedBlockers),

	row("AM4.1", 4, "Every component of the role has passed its suites, works automatically and speaks a specification line of this set.",
		carriedBy(ledger.Conformance, ledger.Component, ledger.DirectoryObservation, ledger.ReadinessCheck), ledger.Testing, ByCountry, allProven),
	row("AM4.2", 4, "The pairwise cases of the role are verified by a monitor, with at least three partner countries.",
		carriedBy(ledger.PeerTest, ledger.Verdict), ledger.Projectathon, ByTeams, pairwise),
	row("AM4.3", 4, "Resilience is shown: an access point that is down and comes back (TC04, TC04_b), and the three time-outs (TC23).",
		carriedBy(ledger.PeerTest, ledger.Verdict, ledger.Conformance), ledger.Projectathon, ByTeams, resilience),
	row("AM4.4", 4, "Wrong requests are refused properly: invalid (TC20), replayed (TC21), unknown evidence (TC22).",
		carriedBy(ledger.Conformance, ledger.PeerTest, ledger.Verdict), ledger.Testing, ByCountry, refusals),
	row("AM4.5", 4, "The exchange log passes its suite, and an extract agrees with the partner's (TC32).",
		carriedBy(ledger.Conformance, ledger.PeerTest, ledger.Verdict), ledger.Testing, ByTeams, logged),
	row("AM4.6", 4, "The readiness check is passed: its session, the items 1 to 20, and the country answers in production.",
		carriedBy(ledger.ReadinessCheck, ledger.Probe), ledger.ProductionEnv, ByCommission, session),
	row("AM4.7", 4, "No blocking item is open.",
		carriedBy(ledger.Blocker), "", ByCountry, unblocked),

	row("AM5.1", 5, "Level 4 holds, in grace for at most 90 days, and a provider's base register link is shown.",
		carriedBy(ledger.Component, ledger.PeerTest, ledger.Verdict), "", ByCountry, levelFour),
	row("AM5.2", 5, "At least one authority is connected in production in this role, and the production directories show it.",
		carriedBy(ledger.AuthorityConnection, ledger.DirectoryObservation), ledger.ProductionEnv, ByCountry, authority),
	row("AM5.3", 5, "At least one exchange with another country has succeeded in production, attested by both sides.",
		carriedBy(ledger.TransactionAttestation), ledger.ProductionEnv, ByBoth, exchanged),
	optional(row("AM5.4", 5, "Both countries agree that the first exchange and its date are shown; otherwise it reads \"one partner country\".",
		carriedBy(ledger.PublicationConsent), "", ByBoth, agreed)),

	row("AM6.1", 6, "Level 5 holds.", nil, "", ByCountry, levelFive),
	row("AM6.2", 6, "At least one service is open to the public, and its link works.",
		carriedBy(ledger.AuthorityConnection, ledger.Probe), ledger.ProductionEnv, ByCountry, open),
	row("AM6.3", 6, "At least one real user's exchange was completed in the last 90 days, attested by both sides.",
		carriedBy(ledger.TransactionAttestation), ledger.ProductionEnv, ByBoth, used),
	row("AM6.4", 6, "At least one monthly aggregate of exchanges has been delivered.",
		carriedBy(ledger.TransactionAttestation), ledger.ProductionEnv, ByCountry, reported),
	row("AM6.5", 6, "The support and feedback channel of the service can be reached.",
		carriedBy(ledger.AuthorityConnection, ledger.Probe), ledger.ProductionEnv, ByCountry, supported),
}

func row(id string, level int, text string, by []ledger.Kind, env ledger.Environment, who Supplier, check func(*judge)) Criterion {
	return Criterion{ID: id, Level: level, Key: "criterion." + id, Text: text, Carriers: by, Environment: env, Supplier: who, check: check}
}

func carriedBy(kinds ...ledger.Kind) []ledger.Kind { return kinds }

func optional(c Criterion) Criterion {
	c.Optional = true
	return c
}

// needs are the English sentences of what is missing; values stand in braces.
var needs = map[string]string{
	"need.any-fact":                "A first fact about the country, as a rule the nomination of its coordinator.",
	"need.nomination":              "Nominate the {function}.",
	"need.nomination-accepted":     "The nomination of the {function} ({fact}) waits for the Commission's acceptance.",
	"need.system":                  "Register a system with at least one component of this role.",
	"need.component-accepted":      "The component {component} ({fact}) is declared and waits to be accepted.",
	"need.message":                 "One valid message of the country's own (suite EDM-MSG).",
	"need.query":                   "One successful query of the Evidence Broker or the Data Service Directory, or a revision by the country's clerk in acceptance.",
	"need.suite":                   "Pass the suite {suite} with the declared version of component {component}.",
	"need.plan":                    "Prove component {component}, or plan it for a date at most six months ahead.",
	"need.share":                   "{have} of {of} components are proven; {want} are needed.",
	"need.procedure-in-acceptance": "Declare one procedure with its requirements in the acceptance environment.",
	"need.service-in-acceptance":   "Publish one evidence type with a data service in the acceptance environment.",
	"need.peer":                    "Test {case} with another country and have it verified by a monitor.",
	"need.verdict":                 "The test {case} ({fact}) waits for a monitor's verdict.",
	"need.partners":                "Verified tests with {have} partner countries; {want} are needed.",
	"need.event":                   "At least one verified result of a testing event.",
	"need.blocker-owner":           "Name an owner and a date for the blocker {fact}.",
	"need.blocker":                 "Close the blocking item {fact}.",
	"need.component":               "Prove component {component} with its declared version, automated, on a specification line of this set. Suites: {suites}.",
	"need.session":                 "Pass the readiness check session.",
	"need.item":                    "Have item {item} of the readiness list checked in production.",
	"need.probe":                   "A successful probe \"{probe}\" in production.",
	"need.level":                   "Reach level {level} first, in this same role.",
	"need.grace":                   "{criterion} has lapsed for more than 90 days; renew it.",
	"need.authority":               "Connect one competent authority in production in this role.",
	"need.authority-confirmed":     "The connection {fact} waits for the Commission's confirmation.",
	"need.directory":               "Publish the authority's entry in the production directories, where the observer can see it.",
	"need.exchange":                "One successful exchange with another country in production, attested by both.",
	"need.attestation":             "{partner} has not attested the exchange {fact}, or its word differs.",
	"need.user-exchange":           "One real user's exchange in production in the last 90 days, attested by both.",
	"need.consent":                 "{country} agrees that the first exchange is shown.",
	"need.open":                    "Open one connected service to the public.",
	"need.link":                    "The public link of the open service answers the link check.",
	"need.month":                   "Deliver one monthly aggregate of exchanges.",
	"need.support":                 "The support link of the open service answers the link check.",
}

// Texts are the English defaults of every message key of this package: levels,
// criteria, criteria sets and needs.
func Texts() map[string]string {
	out := maps.Clone(needs)
	for _, l := range Levels() {
		out[l.Key], out[l.Key+".meaning"] = l.Label, l.Meaning
	}
	for _, c := range table {
		out[c.Key] = c.Text
	}
	for _, s := range Sets() {
		out["criteria."+s.ID] = s.Title
	}
	return out
}
