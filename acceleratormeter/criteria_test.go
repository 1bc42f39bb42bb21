package acceleratormeter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/acceleratormeter/sample"
	"github.com/once-only/oots/ledger"
)

// shownAt is when the kit's facts happen, and judgedAt when they are judged.
var (
	shownAt  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	judgedAt = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
)

// kit is a country that shows every criterion up to a level, at shownAt.
func kit(role ledger.Role, level int) *sample.Kit {
	k := sample.NewKit("AT", role, nil, "FI", "PT", "SI")
	k.Levels(1, level, shownAt)
	return k
}

// drop takes away the facts that match, and their verdicts.
func drop(k *sample.Kit, match func(*ledger.Fact) bool) {
	gone := map[string]bool{}
	k.Facts = slices.DeleteFunc(k.Facts, func(f ledger.Fact) bool {
		if match(&f) || gone[f.PointsAt] {
			gone[f.ID] = true
		}
		return gone[f.ID]
	})
}

// change alters the facts that match.
func change(k *sample.Kit, match func(*ledger.Fact) bool, do func(*ledger.Fact)) {
	n := 0
	for i := range k.Facts {
		if match(&k.Facts[i]) {
			do(&k.Facts[i])
			n++
		}
	}
	if n == 0 {
		panic("the case changes no fact")
	}
}

func kind(k ledger.Kind) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool { return f.Kind == k }
}
func suite(name string) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool {
		return f.Kind == ledger.Conformance && f.Body.Suite == name && f.Body.Case == ""
	}
}
func kase(name string) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool { return f.Kind != ledger.Verdict && f.Body.Case == name }
}
func item(k ledger.Kind, name string) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool { return f.Kind == k && f.Body.Item == name }
}
func component(code string) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool { return f.Kind == ledger.Component && f.Subject.Component == code }
}
func verdictOn(name string) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool { return f.Kind == ledger.Verdict && f.Body.Case == name }
}
func both(a, b func(*ledger.Fact) bool) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool { return a(f) && b(f) }
}
func in(env ledger.Environment) func(*ledger.Fact) bool {
	return func(f *ledger.Fact) bool { return f.Environment == env }
}

const (
	req = ledger.Requester
	pro = ledger.Provider
)

// cases has for every criterion at least one pair: the facts that just meet it,
// and the same with one thing less.
var cases = []struct {
	criterion string
	name      string
	role      ledger.Role
	just      func(*sample.Kit) // from the facts of all criteria up to its level
	miss      func(*sample.Kit) // from what just left
}{
	{"AM1.1", "a single fact, and a public event only", req,
		func(k *sample.Kit) { k.Facts = nil; k.Block("hindering", "late network", judgedAt, shownAt) },
		func(k *sample.Kit) {
			k.Facts = nil
			k.Add(ledger.Fact{Kind: ledger.PublicEvent, Asserter: "operator", HappenedAt: shownAt, Body: ledger.Body{Title: "t", Source: "s"}})
		}},
	{"AM2.1", "a nomination that the Commission has not accepted", req, nil,
		func(k *sample.Kit) {
			change(k, func(f *ledger.Fact) bool { return f.Body.Function == "technical-contact-point" }, func(f *ledger.Fact) { f.Verifier = "" })
		}},
	{"AM2.1", "one function missing", pro, nil,
		func(k *sample.Kit) { drop(k, func(f *ledger.Fact) bool { return f.Body.Function == "coordinator" }) }},
	{"AM2.2", "one accepted component, and one that its own country accepted", req,
		func(k *sample.Kit) {
			drop(k, func(f *ledger.Fact) bool { return f.Kind == ledger.Component && f.Subject.Component != "PP" })
		},
		func(k *sample.Kit) { change(k, component("PP"), func(f *ledger.Fact) { f.Verifier = "manager:AT-1" }) }},
	{"AM2.3", "a request that passed with warnings, and one that failed", req,
		func(k *sample.Kit) {
			change(k, kase("EDM-MSG-001"), func(f *ledger.Fact) { f.Body.Outcome = "pass_with_warnings" })
		},
		func(k *sample.Kit) { change(k, kase("EDM-MSG-001"), func(f *ledger.Fact) { f.Body.Outcome = "fail" }) }},
	{"AM2.3", "a provider needs a response, not a request", pro, nil,
		func(k *sample.Kit) {
			change(k, kase("EDM-MSG-001"), func(f *ledger.Fact) { f.Subject.Component, f.Subject.Role = "ER", req })
		}},
	{"AM2.4", "a clerk's revision in acceptance, and in the training environment", req,
		func(k *sample.Kit) {
			drop(k, kase("CS-QRY-EB-001"))
			k.Add(ledger.Fact{Kind: ledger.DirectoryObservation, Asserter: "platform", Environment: ledger.Acceptance, HappenedAt: judgedAt.AddDate(0, 0, -1), Body: ledger.Body{Item: "revision"}})
		},
		func(k *sample.Kit) {
			change(k, item(ledger.DirectoryObservation, "revision"), func(f *ledger.Fact) { f.Environment = ledger.Training })
		}},
	{"AM3.1", "AS4-CONN passed by the version before the declared one, in grace and after it", req,
		func(k *sample.Kit) {
			change(k, component("AP"), func(f *ledger.Fact) { f.HappenedAt = judgedAt.AddDate(0, 0, -150) })
			k.Version = "2.0"
			k.Declare("AP", judgedAt.AddDate(0, 0, -89))
		},
		func(k *sample.Kit) {
			change(k, both(component("AP"), func(f *ledger.Fact) bool { return f.Body.Version == "2.0" }), func(f *ledger.Fact) { f.HappenedAt = judgedAt.AddDate(0, 0, -91) })
		}},
	{"AM3.1", "only one case of the suite", pro, nil,
		func(k *sample.Kit) { change(k, suite("AS4-CONN"), func(f *ledger.Fact) { f.Body.Case = "CTC01" }) }},
	{"AM3.2", "five of seven with two plans of six months, and a plan one day later", req,
		func(k *sample.Kit) {
			drop(k, suite("LCM"))
			drop(k, suite("EID"))
			k.Plan("MD", judgedAt.AddDate(0, 6, 0), shownAt)
			k.Plan("EID-R", judgedAt.AddDate(0, 6, 0), shownAt)
		},
		func(k *sample.Kit) {
			change(k, both(component("MD"), func(f *ledger.Fact) bool { return !f.Body.PlannedFor.IsZero() }), func(f *ledger.Fact) { f.Body.PlannedFor = f.Body.PlannedFor.AddDate(0, 0, 1) })
		}},
	{"AM3.2", "four of six for a provider, and three", pro,
		func(k *sample.Kit) {
			for _, s := range []string{"LCM", "EID"} {
				drop(k, suite(s))
			}
			for _, c := range []string{"MD", "EID-P", "LOG"} {
				k.Plan(c, judgedAt.AddDate(0, 2, 0), shownAt)
			}
		},
		func(k *sample.Kit) { drop(k, suite("LOG")) }},
	{"AM3.3", "an entry in acceptance, and in testing", req, nil,
		func(k *sample.Kit) {
			change(k, kind(ledger.DirectoryObservation), func(f *ledger.Fact) { f.Environment = ledger.Testing })
		}},
	{"AM3.3", "a provider's procedure proves nothing", pro, nil,
		func(k *sample.Kit) {
			change(k, kind(ledger.DirectoryObservation), func(f *ledger.Fact) { f.Body.Item = "procedure" })
		}},
	{"AM3.4", "TC06 instead, partly verified by the partner's fault, and by one's own", req,
		func(k *sample.Kit) {
			change(k, kase("TC01"), func(f *ledger.Fact) { f.Body.Case = "TC06" })
			change(k, verdictOn("TC01"), func(f *ledger.Fact) { f.Body.Outcome, f.Body.Causes = "partially_verified", []string{"partner"} })
		},
		func(k *sample.Kit) {
			change(k, kind(ledger.Verdict), func(f *ledger.Fact) { f.Body.Causes = []string{"partner", "own"} })
		}},
	{"AM3.4", "a monitor employed by the country itself never verifies", req, nil,
		func(k *sample.Kit) {
			change(k, kind(ledger.Verdict), func(f *ledger.Fact) { f.Asserter = "monitor:AT-7f3a" })
		}},
	{"AM3.4", "nor one employed by the partner", pro, nil,
		func(k *sample.Kit) {
			change(k, kind(ledger.Verdict), func(f *ledger.Fact) { f.Asserter = "monitor:FI-7f3a" })
		}},
	{"AM3.5", "a blocker with owner and date, and without date", req,
		func(k *sample.Kit) { k.Block("blocking", "certificate order", judgedAt.AddDate(0, 1, 0), shownAt) },
		func(k *sample.Kit) {
			change(k, kind(ledger.Blocker), func(f *ledger.Fact) { f.Body.Due = time.Time{} })
		}},
	{"AM4.1", "operations by items 11 to 15, and without item 15", req, nil,
		func(k *sample.Kit) { drop(k, item(ledger.ReadinessCheck, "15")) }},
	{"AM4.1", "a component that works by hand", pro, nil,
		func(k *sample.Kit) { change(k, component("DS"), func(f *ledger.Fact) { f.Body.Mode = "manual" }) }},
	{"AM4.1", "a line that the set does not name", req, nil,
		func(k *sample.Kit) {
			change(k, suite("EDM-MSG"), func(f *ledger.Fact) { f.Specification = "oots-edm:v1.0" })
		}},
	{"AM4.1", "a result of a test tool", req, nil,
		func(k *sample.Kit) { change(k, suite("EID"), func(f *ledger.Fact) { f.Body.Mode = "test-tool" }) }},
	{"AM4.1", "metadata kept by screens, and a revision in testing only", pro,
		func(k *sample.Kit) {
			drop(k, suite("LCM"))
			k.Add(ledger.Fact{Kind: ledger.DirectoryObservation, Asserter: "platform", Environment: ledger.Acceptance, HappenedAt: judgedAt, Body: ledger.Body{Item: "revision"}})
		},
		func(k *sample.Kit) {
			change(k, item(ledger.DirectoryObservation, "revision"), func(f *ledger.Fact) { f.Environment = ledger.Testing })
		}},
	{"AM4.1", "a provider exempt from preview, and one without preview space", pro,
		func(k *sample.Kit) {
			change(k, component("PRV"), func(f *ledger.Fact) { f.Body.Exempt = true })
			drop(k, suite("EID"))
			drop(k, func(f *ledger.Fact) bool { return suite("EP-SIM")(f) && f.Subject.Component == "PRV" })
		},
		func(k *sample.Kit) { change(k, component("PRV"), func(f *ledger.Fact) { f.Body.Exempt = false }) }},
	{"AM4.2", "three partner countries, and two", req, nil,
		func(k *sample.Kit) {
			change(k, func(f *ledger.Fact) bool { return f.Subject.Partner == "SI" }, func(f *ledger.Fact) { f.Subject.Partner = "PT" })
		}},
	{"AM4.2", "a provider needs TC09", pro, nil, func(k *sample.Kit) { drop(k, kase("TC09")) }},
	{"AM4.2", "a requester needs TC05", req, nil, func(k *sample.Kit) { drop(k, kase("TC05")) }},
	{"AM4.2", "a test with cached directories does not count", req, nil,
		func(k *sample.Kit) {
			change(k, kase("TC01"), func(f *ledger.Fact) { f.Body.Variant = "cached-directory" })
		}},
	{"AM4.3", "TC23 alone with scaled clocks, and by hand", req,
		func(k *sample.Kit) { drop(k, kase("TC23")); k.Test("ER", "ER-SIM", "TC23", shownAt) },
		func(k *sample.Kit) { change(k, kase("TC23"), func(f *ledger.Fact) { f.Body.Mode = "manual" }) }},
	{"AM4.3", "TC04_b is a case of its own", pro, nil, func(k *sample.Kit) { drop(k, kase("TC04_b")) }},
	{"AM4.4", "a later failure takes the pass away", req,
		func(k *sample.Kit) {
			k.Test("ER", "ER-SIM", "TC21", shownAt.Add(-time.Hour))
			change(k, both(kase("TC21"), func(f *ledger.Fact) bool { return f.HappenedAt.Before(shownAt) }), func(f *ledger.Fact) { f.Body.Outcome = "fail" })
		},
		func(k *sample.Kit) {
			change(k, both(kase("TC21"), func(f *ledger.Fact) bool { return f.Body.Outcome == "fail" }), func(f *ledger.Fact) { f.HappenedAt = shownAt.Add(time.Hour) })
		}},
	{"AM4.5", "TC32 in a projectathon, and in testing", req, nil,
		func(k *sample.Kit) { change(k, kase("TC32"), func(f *ledger.Fact) { f.Environment = ledger.Testing }) }},
	{"AM4.5", "the suite LOG", pro, nil, func(k *sample.Kit) { drop(k, suite("LOG")) }},
	{"AM4.6", "a waived item and a session with conditions, before and after its deadline", req,
		func(k *sample.Kit) {
			change(k, item(ledger.ReadinessCheck, "8"), func(f *ledger.Fact) { f.Body.Outcome = "waived" })
			change(k, item(ledger.ReadinessCheck, "session"), func(f *ledger.Fact) {
				f.Body.Outcome, f.Body.Until = "pass_with_conditions", judgedAt.AddDate(0, 0, 1)
			})
		},
		func(k *sample.Kit) {
			change(k, item(ledger.ReadinessCheck, "session"), func(f *ledger.Fact) { f.Body.Until = judgedAt.AddDate(0, 0, -91) })
		}},
	{"AM4.6", "a probe in grace, and after it", pro,
		func(k *sample.Kit) {
			change(k, item(ledger.Probe, "as4-ping"), func(f *ledger.Fact) { f.HappenedAt = judgedAt.AddDate(0, 0, -59) })
		},
		func(k *sample.Kit) {
			change(k, item(ledger.Probe, "as4-ping"), func(f *ledger.Fact) { f.HappenedAt = judgedAt.AddDate(0, 0, -60) })
		}},
	{"AM4.6", "probes that the platform says it verified itself, and that somebody did who may not", pro,
		func(k *sample.Kit) {
			change(k, kind(ledger.Probe), func(f *ledger.Fact) { f.Verifier = "platform" })
		},
		func(k *sample.Kit) {
			change(k, kind(ledger.Probe), func(f *ledger.Fact) { f.Verifier = "commission:desk" })
		}},
	{"AM4.7", "a blocking item that was closed, and one that is open", req,
		func(k *sample.Kit) {
			id := k.Block("blocking", "certificate order", judgedAt, shownAt)
			k.Add(ledger.Fact{Kind: ledger.Blocker, Asserter: "ms:AT", HappenedAt: shownAt, PointsAt: id, Body: ledger.Body{Severity: "blocking", Closed: true}})
		},
		func(k *sample.Kit) { drop(k, func(f *ledger.Fact) bool { return f.Body.Closed }) }},
	{"AM4.7", "a hindering item is allowed", pro,
		func(k *sample.Kit) { k.Block("hindering", "slow answers", judgedAt, shownAt) },
		func(k *sample.Kit) {
			change(k, kind(ledger.Blocker), func(f *ledger.Fact) { f.Body.Severity = "blocking" })
		}},
	{"AM5.1", "the base register link of a provider", pro, nil, func(k *sample.Kit) { drop(k, component("BR")) }},
	{"AM5.1", "level 4 in grace for 90 days, and for 91", req,
		func(k *sample.Kit) {
			// A new major line: 180 days of grace for what the old one proved.
			for _, f := range k.Facts {
				if component("ER")(&f) {
					k.Version, k.Lines = "2.0", []string{"oots-edm:v2.0"}
					k.Declare("ER", judgedAt.AddDate(0, 0, -90))
				}
			}
			change(k, both(component("ER"), func(f *ledger.Fact) bool { return f.Body.Version == "1.0" }), func(f *ledger.Fact) { f.HappenedAt = judgedAt.AddDate(0, 0, -170) })
		},
		func(k *sample.Kit) {
			change(k, both(component("ER"), func(f *ledger.Fact) bool { return f.Body.Version == "2.0" }), func(f *ledger.Fact) { f.HappenedAt = judgedAt.AddDate(0, 0, -91) })
		}},
	{"AM5.2", "an authority seen in production, and one that nobody sees", pro, nil,
		func(k *sample.Kit) { drop(k, both(kind(ledger.DirectoryObservation), in(ledger.ProductionEnv))) }},
	{"AM5.2", "an authority that left", req, nil,
		func(k *sample.Kit) {
			change(k, kind(ledger.AuthorityConnection), func(f *ledger.Fact) { f.Body.State = "left" })
		}},
	{"AM5.3", "times within the tolerance, and beyond it", req,
		func(k *sample.Kit) {
			change(k, func(f *ledger.Fact) bool { return f.Body.RequestHash != "" && f.Subject.Country == "FI" }, func(f *ledger.Fact) { f.HappenedAt = f.HappenedAt.Add(10 * time.Minute) })
		},
		func(k *sample.Kit) {
			change(k, func(f *ledger.Fact) bool { return f.Body.RequestHash != "" && f.Subject.Country == "FI" }, func(f *ledger.Fact) { f.HappenedAt = f.HappenedAt.Add(time.Second) })
		}},
	{"AM5.3", "one side only", pro, nil,
		func(k *sample.Kit) {
			drop(k, func(f *ledger.Fact) bool { return f.Body.RequestHash != "" && f.Subject.Country == "FI" })
		}},
	{"AM5.4", "both consents, and one", req, nil,
		func(k *sample.Kit) {
			drop(k, func(f *ledger.Fact) bool { return f.Kind == ledger.PublicationConsent && f.Subject.Country == "FI" })
		}},
	{"AM6.1", "level 5", req, nil,
		func(k *sample.Kit) { drop(k, func(f *ledger.Fact) bool { return f.Body.RequestHash != "" }) }},
	{"AM6.2", "a link that was checked, and another link", pro, nil,
		func(k *sample.Kit) {
			change(k, item(ledger.Probe, "public-link"), func(f *ledger.Fact) { f.Body.Target += "x" })
		}},
	{"AM6.3", "the last day of grace after 90 days, and the day after", req,
		func(k *sample.Kit) {
			change(k, func(f *ledger.Fact) bool { return f.Body.RealUser }, func(f *ledger.Fact) { f.HappenedAt = judgedAt.AddDate(0, 0, -179) })
		},
		func(k *sample.Kit) {
			change(k, func(f *ledger.Fact) bool { return f.Body.RealUser }, func(f *ledger.Fact) { f.HappenedAt = judgedAt.AddDate(0, 0, -180) })
		}},
	{"AM6.3", "a system check is no real user's exchange", pro, nil,
		func(k *sample.Kit) {
			change(k, func(f *ledger.Fact) bool { return f.Body.RealUser }, func(f *ledger.Fact) { f.Body.RealUser = false })
		}},
	{"AM6.4", "one month", req, nil, func(k *sample.Kit) { drop(k, func(f *ledger.Fact) bool { return f.Body.Period != "" }) }},
	{"AM6.5", "a support channel that answers, and one that fails", pro, nil,
		func(k *sample.Kit) {
			change(k, item(ledger.Probe, "support-link"), func(f *ledger.Fact) { f.Body.Outcome = "fail" })
		}},
}

func TestEveryCriterionIsJustMetAndJustMissed(t *testing.T) {
	set := acceleratormeter.AM1()
	covered := map[string]bool{}
	for _, c := range cases {
		covered[c.criterion] = true
		t.Run(c.criterion+" "+strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			level := int(c.criterion[2] - '0')
			k := kit(c.role, level)
			if c.just != nil {
				c.just(k)
			}
			if got := judged(t, set, k, c.criterion, c.role); got.State == acceleratormeter.Missing {
				t.Fatalf("what just meets it is judged missing: %v", sentences(got))
			}
			c.miss(k)
			got := judged(t, set, k, c.criterion, c.role)
			if got.State != acceleratormeter.Missing {
				t.Fatalf("what just misses it is judged %s by %v", got.State, got.Facts)
			}
			for _, n := range got.Needs {
				if s := n.String(); s == "" || strings.ContainsAny(s, "{}") || n.Supplier == "" {
					t.Errorf("need %+v reads %q", n, s)
				}
			}
		})
	}
	for _, c := range set.List {
		if !covered[c.ID] {
			t.Errorf("%s has no case that just meets and just misses it", c.ID)
		}
	}
}

func judged(t *testing.T, set acceleratormeter.Criteria, k *sample.Kit, id string, role ledger.Role) acceleratormeter.Result {
	t.Helper()
	for _, s := range acceleratormeter.Assess(set, k.Facts, judgedAt) {
		if s.Country != k.Country {
			continue
		}
		for _, r := range s.Of(role).Results {
			if r.Criterion == id {
				return r
			}
		}
	}
	t.Fatalf("%s is not judged", id)
	return acceleratormeter.Result{}
}

func sentences(r acceleratormeter.Result) (out []string) {
	for _, n := range r.Needs {
		out = append(out, n.String())
	}
	return out
}

func TestLevelsAreReachedOneByOne(t *testing.T) {
	for _, role := range []ledger.Role{req, pro} {
		for level := 1; level <= 6; level++ {
			k := kit(role, level)
			if level == 1 {
				k.Show("AM2.1", shownAt)
			}
			for _, f := range k.Facts {
				f.RecordedAt = time.Time{}
				if err := ledger.Check(f); err != nil {
					t.Fatalf("the kit writes a wrong fact: %v", err)
				}
			}
			s := standing(t, acceleratormeter.AM1(), k.Facts, "AT", judgedAt)
			if s.Level != level || s.Of(role).Level != level || s.AtRisk {
				for _, r := range s.Of(role).StillNeeds() {
					t.Log(r.Criterion, sentences(r))
				}
				t.Errorf("%s: level %d, at risk %v; want %d", role, s.Level, s.AtRisk, level)
			}
		}
	}
}

func standing(t *testing.T, set acceleratormeter.Criteria, facts []ledger.Fact, cc string, at time.Time) acceleratormeter.Standing {
	t.Helper()
	for _, s := range acceleratormeter.Assess(set, facts, at) {
		if s.Country == cc {
			return s
		}
	}
	t.Fatalf("no standing of %s", cc)
	return acceleratormeter.Standing{}
}

// A role's criteria never mix with the other's: cumulative in one same role.
func TestLevelNeedsOneSameRole(t *testing.T) {
	serial := 0
	a := sample.NewKit("AT", req, &serial, "FI", "PT", "SI")
	a.Levels(1, 3, shownAt)
	b := sample.NewKit("AT", pro, &serial, "FI", "PT", "SI")
	b.Levels(4, 6, shownAt)
	s := standing(t, acceleratormeter.AM1(), append(a.Facts, b.Facts...), "AT", judgedAt)
	if s.Level != 3 || s.Role != req || s.Provider.Level != 1 {
		t.Errorf("level %d by %s, provider %d; want 3 by requester, provider 1", s.Level, s.Role, s.Provider.Level)
	}
}

func TestPolicyReadings(t *testing.T) {
	one := kit(req, 6)
	facts := one.Facts
	for _, c := range []struct {
		set  acceleratormeter.Criteria
		want int
	}{{acceleratormeter.AM1(), 6}, {acceleratormeter.AM1Strict(), 1}, {acceleratormeter.AM1Lenient(), 6}} {
		if s := standing(t, c.set, facts, "AT", judgedAt); s.Level != c.want {
			t.Errorf("%s: level %d, want %d", c.set.ID, s.Level, c.want)
		}
	}
	diff := acceleratormeter.Compare(acceleratormeter.Assess(acceleratormeter.AM1(), facts, judgedAt), acceleratormeter.Assess(acceleratormeter.AM1Strict(), facts, judgedAt))
	if len(diff) != 1 || diff[0].Country != "AT" || diff[0].From != 6 || diff[0].To != 1 {
		t.Errorf("difference %+v", diff)
	}
}
