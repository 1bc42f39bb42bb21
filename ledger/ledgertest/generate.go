package ledgertest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/once-only/oots/ledger"
)

// Beginning is when generated facts begin.
var Beginning = time.Date(2022, time.January, 9, 9, 0, 0, 0, time.UTC)

// Facts generates n valid invented facts of the mix that a running system
// writes: mostly probes and observations, then conformance, peer tests with
// verdicts, attestations, some of everything else. The same n and seed give
// the same facts. They are recorded in order, spread over three years.
func Facts(n int, seed uint64) iter.Seq[ledger.Fact] {
	return func(yield func(ledger.Fact) bool) {
		g := &generator{r: rand.New(rand.NewPCG(seed, 0x6f6f7473)), seed: seed}
		step := 3 * 365 * 24 * time.Hour / time.Duration(max(n, 1))
		for i := range n {
			g.i = i
			g.now = ledger.Milli(Beginning.Add(time.Duration(i) * step))
			if !yield(g.fact()) {
				return
			}
		}
	}
}

// WriteFacts writes generated facts as a facts file.
func WriteFacts(w io.Writer, n int, seed uint64) error {
	var line []byte
	for f := range Facts(n, seed) {
		line = append(ledger.AppendLine(line[:0], &f), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

type generator struct {
	r    *rand.Rand
	seed uint64
	i    int
	now  time.Time
	// last peer test without a verdict
	open *ledger.Fact
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func (g *generator) id(kind ledger.Kind) string {
	return fmt.Sprintf("sample/%s/%d-%07d", kind, g.seed, g.i)
}

func (g *generator) digest(s string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", g.seed, g.i, s))
	return hex.EncodeToString(sum[:])
}

func (g *generator) pair() (string, string) {
	a := g.r.IntN(len(ledger.Countries))
	b := (a + 1 + g.r.IntN(len(ledger.Countries)-1)) % len(ledger.Countries)
	return ledger.Countries[a], ledger.Countries[b]
}

func (g *generator) role() ledger.Role {
	return pick(g.r, []ledger.Role{ledger.Requester, ledger.Provider})
}

func (g *generator) base(kind ledger.Kind, asserter string, subject ledger.Subject) ledger.Fact {
	return ledger.Fact{
		ID: g.id(kind), Kind: kind, Subject: subject, Asserter: asserter,
		HappenedAt: g.now.Add(-time.Hour), RecordedAt: g.now, Sample: true,
	}
}

func (g *generator) fact() ledger.Fact {
	if g.open != nil && g.r.IntN(3) == 0 {
		return g.verdict()
	}
	line := pick(g.r, []string{"oots-edm:v1.2", "oots-edm:v2.0"})
	cc, partner := g.pair()
	role := g.role()
	ms := "ms:" + cc
	switch p := g.r.IntN(100); {
	case p < 35:
		f := g.base(ledger.Probe, "platform", ledger.Subject{Country: cc})
		f.Verifier, f.Environment = "platform", ledger.ProductionEnv
		f.Body = ledger.Body{Item: pick(g.r, ledger.ProbeItems), Outcome: pick(g.r, []string{"pass", "pass", "pass", "fail"})}
		if g.r.IntN(2) == 0 {
			f.Body.Target = fmt.Sprintf("https://oots-%d.example.%s/", g.r.IntN(20), lower(cc))
		}
		return f
	case p < 55:
		f := g.base(ledger.DirectoryObservation, "platform", ledger.Subject{Country: cc, Role: role})
		f.Verifier = "platform"
		f.Environment = pick(g.r, []ledger.Environment{ledger.Acceptance, ledger.ProductionEnv})
		f.Body = ledger.Body{Item: pick(g.r, ledger.DirectoryItems), Count: g.r.IntN(40), Lines: []string{line}}
		return f
	case p < 72:
		f := g.base(ledger.Conformance, "platform", ledger.Subject{Country: cc, Role: role, System: cc + "-national", Component: pick(g.r, ledger.Components).Code})
		f.Verifier, f.Environment, f.Specification = "platform", ledger.Testing, line
		f.Body = ledger.Body{
			Suite: pick(g.r, []string{"AS4-CONN", "EDM-MSG", "CS-QRY-EB", "ER-SIM", "EP-SIM", "LOG", "LCM"}),
			Case:  fmt.Sprintf("C%02d", g.r.IntN(30)), Version: fmt.Sprintf("%d.%d", 1+g.r.IntN(3), g.r.IntN(10)),
			Outcome: pick(g.r, []string{"pass", "pass", "pass_with_warnings", "fail"}), Catalogue: "2026.2",
		}
		f.Evidence = []ledger.Evidence{{SHA256: g.digest("run"), MediaType: "application/json", Size: int64(1000 + g.r.IntN(90000)), Confidentiality: "own"}}
		return f
	case p < 82:
		f := g.base(ledger.PeerTest, "team:"+cc+"/national", ledger.Subject{Country: cc, Role: role, System: cc + "-national", Partner: partner})
		f.Environment, f.Specification = ledger.Projectathon, line
		f.Body = ledger.Body{Case: fmt.Sprintf("TC%02d", 1+g.r.IntN(34)), Outcome: pick(g.r, []string{"pass", "pass", "fail"}), Mode: "automated", Event: fmt.Sprintf("PJ%d", 1+g.r.IntN(9))}
		f.Evidence = []ledger.Evidence{{SHA256: g.digest("test"), MediaType: "application/zip", Size: int64(1000 + g.r.IntN(900000))}}
		g.open = &f
		return f
	case p < 92:
		f := g.base(ledger.TransactionAttestation, ms, ledger.Subject{Country: cc, Role: role, Partner: partner})
		f.Environment, f.Specification = ledger.ProductionEnv, line
		f.Body = ledger.Body{RequestHash: g.digest("request"), MessageHash: g.digest("message"), RealUser: g.r.IntN(3) > 0, Outcome: "pass", Procedures: []string{pick(g.r, []string{"T1", "R1", "00"})}}
		return f
	case p < 94:
		f := g.base(ledger.Component, ms, ledger.Subject{Country: cc, Role: role, System: cc + "-national", Component: pick(g.r, ledger.Components).Code})
		f.Verifier = "manager:1"
		f.Body = ledger.Body{Mode: pick(g.r, ledger.Modes), Lines: []string{line}, Version: "2.1"}
		return f
	case p < 96:
		f := g.base(ledger.ReadinessCheck, ms, ledger.Subject{Country: cc})
		f.Verifier, f.Environment = "expert:3", ledger.ProductionEnv
		f.Body = ledger.Body{Item: fmt.Sprint(1 + g.r.IntN(20)), Outcome: "pass"}
		return f
	case p < 98:
		f := g.base(ledger.AuthorityConnection, ms, ledger.Subject{Country: cc, Role: role, Authority: fmt.Sprintf("%s-%d", cc, g.r.IntN(500))})
		f.Verifier, f.Environment = "commission", ledger.ProductionEnv
		f.Body = ledger.Body{State: pick(g.r, ledger.ConnectionState), Procedures: []string{"T1"}, Link: "https://services.example/" + lower(cc)}
		return f
	case p < 99:
		f := g.base(ledger.Blocker, ms, ledger.Subject{Country: cc})
		f.Body = ledger.Body{Severity: "hindering", Owner: "national team", Due: g.now.AddDate(0, 2, 0), Reason: "The access point’s certificate chain is “incomplete” <again>."}
		return f
	}
	f := g.base(ledger.Nomination, ms, ledger.Subject{Country: cc})
	f.Verifier = "commission"
	f.Body = ledger.Body{Function: pick(g.r, ledger.Functions)}
	return f
}

func (g *generator) verdict() ledger.Fact {
	of := g.open
	g.open = nil
	f := g.base(ledger.Verdict, fmt.Sprintf("monitor:%02d", g.r.IntN(40)), ledger.Subject{Country: of.Subject.Country, Role: of.Subject.Role, Partner: of.Subject.Partner})
	f.PointsAt = of.ID
	f.Body = ledger.Body{Outcome: pick(g.r, ledger.Verdicts), Case: of.Body.Case}
	return f
}

func lower(cc string) string { return string([]byte{cc[0] | 0x20, cc[1] | 0x20}) }
