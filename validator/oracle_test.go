package validator_test

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/once-only/oots/validator"
	"github.com/once-only/oots/validator/official"
)

// samples finds the folder of real files beside the project, or skips.
func samples(t testing.TB) string {
	t.Helper()
	found := filepath.Join("..", "..", "shared", "samples")
	if _, err := os.Stat(found); err != nil {
		t.Skip("the folder ../shared/samples is not here")
	}
	return found
}

// base is a sound or published message to make mutations of.
type base struct {
	name string
	kind validator.Kinds
	raw  string
}

// bases are the samples of line 1.0 that a published file judges, and our own
// messages of that line, which reach further.
func bases(t testing.TB, dir string) []base {
	t.Helper()
	v := validator.New(validator.Config{})
	var out []base
	add := func(name, raw string) {
		r := v.Validate([]byte(raw), validator.Options{})
		for _, k := range validator.KindNames() { // a submission may be for two services
			if kind, _ := validator.ParseKind(k); r.Kind&kind != 0 && kind != validator.EBMSHeader {
				out = append(out, base{name, kind, raw})
			}
		}
	}
	for _, pattern := range []string{filepath.Join(dir, "edm-1.0/messages/*.xml"), "testdata/cs/*-1.0.xml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			add(filepath.Base(file), string(raw))
		}
	}
	for _, s := range validator.Specimens() {
		if s.Line == validator.V10 {
			add(s.Name, s.XML)
		}
	}
	return out
}

// renumbered are ids of the published files of line 1.0 that stand for another
// rule of the tables: misfiled under another message, or numbered differently.
var renumbered = map[official.Transaction]map[string]string{
	official.EvidenceError: {"R-EDM-ERR-S12": "R-EDM-ERR-S013"},
	official.EBError: {
		"R-EB-ERR-S001": "R-EB-ERR-001", "R-EB-ERR-S002": "R-EB-ERR-002", "R-EB-ERR-S006": "R-EB-ERR-006",
		"R-EB-ERR-S007": "R-EB-ERR-007", "R-EB-ERR-S008": "R-EB-ERR-008",
	},
	official.DSDResponse: {"R-DSD-RESP-S010": "R-DSD-RESP-S011", "R-DSD-RESP-S011": "R-DSD-RESP-S012"},
	official.DSDError: {
		"R-DSD-RESP-S006": "R-DSD-ERR-S006", "R-DSD-RESP-S007": "R-DSD-ERR-S007", "R-DSD-RESP-S008": "R-DSD-ERR-S008",
		"R-DSD-RESP-S009": "R-DSD-ERR-S009", "R-DSD-RESP-S011": "R-DSD-ERR-S011", "R-DSD-RESP-S012": "R-DSD-ERR-S012",
		"R-DSD-RESP-S013": "R-DSD-ERR-S013", "R-DSD-RESP-S022": "R-DSD-ERR-S023",
		"R-EDM-REQ-S014": "R-DSD-ERR-S014", "R-EDM-REQ-S015": "R-DSD-ERR-S015", "R-EDM-REQ-S016": "R-DSD-ERR-S016",
		"R-EDM-REQ-S017": "R-DSD-ERR-S017", "R-EDM-REQ-S018": "R-DSD-ERR-S018", "R-EDM-REQ-S019": "R-DSD-ERR-S019",
		"R-EDM-REQ-S020": "R-DSD-ERR-S020", "R-EDM-REQ-S021": "R-DSD-ERR-S021",
	},
	official.DSDSubmission: {"DSD-SUB-S005a": "R-DSD-SUB-S005", "DSD-SUB-S005b": "R-DSD-SUB-S036"},
	official.LCMError: {
		"R-LCM-010": "R-LCM-ERR-010", "R-LCM-012": "R-LCM-ERR-012", "R-LCM-014": "R-LCM-ERR-014", "R-LCM-016": "R-LCM-ERR-016",
		"R-LCM-SUC-008": "R-LCM-ERR-017", "R-LCM-SUC-017": "R-LCM-ERR-017",
	},
}

// reason explains a difference between a published file of line 1.0 and our
// rules, under its heading in docs/divergences.md.
type reason struct {
	rules   string // separated by spaces
	who     string // "ours" or "theirs": who finds what the other does not
	only    string // in mutations whose name ends so; "" in all
	heading string
}

const (
	noNamespace = "Published Schematron of line 1.0: contexts that never match"
	secondRule  = "Published Schematron of line 1.0: rules that are never reached"
	submitIDs   = "Ids of submissions on line 1.0"
	requestIDs  = "requestID and requestId in answers to submissions"
	misplaced   = "Objects that are not where they belong"
	slotsOfDSD  = "Slots of a Data Service Directory error without a question"
)

var explained = map[official.Transaction][]reason{
	official.EBRequirements:  {{"R-EB-REQ-S012", "ours", "", secondRule}},
	official.EBEvidenceTypes: {{"R-EB-EVI-S010", "ours", "", secondRule}},
	official.EBError: {
		{"R-EB-ERR-007 R-EB-ERR-008 R-EB-ERR-009 R-EB-ERR-010 R-EB-ERR-011 R-EB-ERR-013 R-EB-ERR-015 R-EB-ERR-016 R-EB-ERR-017", "ours", "", noNamespace},
	},
	official.DSDError: {
		{"R-DSD-ERR-S008 R-DSD-ERR-S017 R-DSD-ERR-S019 R-DSD-ERR-S020", "ours", "", secondRule},
		{"R-DSD-ERR-S009", "ours", "", slotsOfDSD},
	},
	official.DSDSubmission: {
		{"R-DSD-SUB-S004", "theirs", "", submitIDs},
		{"R-DSD-SUB-S007 R-DSD-SUB-S009 R-DSD-SUB-S012", "theirs", "namespace /lcm:SubmitObjectsRequest", misplaced},
		{"R-DSD-SUB-S007 R-DSD-SUB-S009 R-DSD-SUB-S012", "theirs", "renamed /lcm:SubmitObjectsRequest", misplaced},
		{"R-DSD-SUB-S007 R-DSD-SUB-S009 R-DSD-SUB-S012", "theirs", "renamed /lcm:SubmitObjectsRequest/rim:RegistryObjectList", misplaced},
	},
	official.LCMSuccess: {
		{"R-LCM-SUC-003", "theirs", "", requestIDs},
		{"R-LCM-SUC-004", "ours", "/@requestId", requestIDs},
	},
	official.LCMError: {
		{"R-LCM-ERR-009 R-LCM-ERR-010 R-LCM-ERR-011 R-LCM-ERR-013 R-LCM-ERR-015 R-LCM-ERR-016 R-LCM-ERR-017", "ours", "", noNamespace},
		{"R-LCM-ERR-004", "ours", "/@requestId", requestIDs},
		{"R-LCM-ERR-004", "theirs", "missing /rs:RegistryResponse/@requestId", requestIDs},
	},
}

// unexplained tells whether no reason covers a difference, and notes the reason
// that does.
func unexplained(transaction official.Transaction, rule, who, mutation string, used *sync.Map) bool {
	for _, r := range explained[transaction] {
		if r.who == who && slices.Contains(strings.Fields(r.rules), rule) && strings.HasSuffix(mutation, r.only) {
			used.Store(string(transaction)+" "+rule+" "+who, true)
			return false
		}
	}
	return true
}

// Each reason has its section.
func TestExplanationsAreWritten(t *testing.T) {
	page, err := os.ReadFile("../docs/divergences.md")
	if err != nil {
		t.Fatal(err)
	}
	for transaction, reasons := range explained {
		for _, r := range reasons {
			if !strings.Contains(string(page), "\n## "+r.heading+"\n") {
				t.Errorf("%s: docs/divergences.md has no section %q", transaction, r.heading)
			}
		}
	}
}

func TestVerdictsEqualThePublishedSchematronOnSamples(t *testing.T) {
	compare(t, func(b base) []mutation { return []mutation{{"", b.raw}} }, 30, nil)
}

func TestVerdictsEqualThePublishedSchematronOnMutations(t *testing.T) {
	seen, used := map[string]bool{}, &sync.Map{}
	compare(t, func(b base) []mutation {
		var out []mutation
		for _, m := range mutate(t, b.raw) {
			if key := b.kind.String() + m.name; !seen[key] {
				seen[key] = true
				if taken(key) {
					out = append(out, m)
				}
			}
		}
		return out
	}, 300, used)
	if !everything() {
		return
	}
	for transaction, reasons := range explained {
		for _, r := range reasons {
			for rule := range strings.FieldsSeq(r.rules) {
				if _, ok := used.Load(string(transaction) + " " + rule + " " + r.who); !ok {
					t.Errorf("%s %s: explained under %q, but the two agree", transaction, rule, r.heading)
				}
			}
		}
	}
}

// everything tells whether all mutations are wanted: a third of them, always the
// same, will do from day to day.
func everything() bool { return os.Getenv("OOTS_TEST_ALL") == "1" }

func taken(key string) bool {
	h := fnv.New32a()
	h.Write([]byte(key))
	return everything() || h.Sum32()%3 == 0
}

func compare(t *testing.T, variants func(base) []mutation, least int, used *sync.Map) {
	if used == nil {
		used = &sync.Map{}
	}
	dir := samples(t)
	set, err := official.Load(filepath.Join(dir, "edm-1.0", "schematron"))
	if err != nil {
		t.Fatal(err)
	}
	v := validator.New(validator.Config{})
	type job struct {
		b base
		m mutation
	}
	var jobs []job
	for _, b := range bases(t, dir) {
		for _, m := range variants(b) {
			jobs = append(jobs, job{b, m})
		}
	}
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		diffs = map[string][]string{}
		fired = map[string]bool{} // file and assertion
		count int
		next  = make(chan job)
	)
	for range 4 {
		wg.Go(func() {
			for j := range next {
				theirs, err := set.Judge(t.Context(), []byte(j.m.raw), official.Transaction(j.b.kind.String()))
				if err != nil {
					continue // no XML any more: not what is compared here
				}
				mu.Lock()
				count++
				for _, f := range theirs.Findings {
					fired[f.File+" "+f.Rule] = true
				}
				mu.Unlock()
				for _, d := range differences(t, theirs, v, j.b, j.m, used) {
					mu.Lock()
					diffs[d] = append(diffs[d], j.b.name+" "+j.m.name)
					mu.Unlock()
				}
			}
		})
	}
	for _, j := range jobs {
		next <- j
	}
	close(next)
	wg.Wait()
	var keys []string
	for k := range diffs {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		slices.Sort(diffs[k])
		t.Errorf("%s: %d times, first in %s", k, len(diffs[k]), diffs[k][0])
	}
	if count < least {
		t.Errorf("%d messages, fewer than %d", count, least)
	}
	t.Logf("%d messages compared, %d assertions fired", count, len(fired))
}

// differences lists what is not explained.
func differences(t *testing.T, theirs *official.Verdict, v *validator.Validator, b base, m mutation, used *sync.Map) (out []string) {
	transaction := official.Transaction(b.kind.String())
	for _, n := range theirs.NotEvaluated {
		if !strings.HasPrefix(n, "no usable XML Schema") && !strings.HasPrefix(n, "no Schematron file") {
			t.Errorf("%s %s: %s", b.name, m.name, n)
		}
	}
	rename := func(id string) (string, bool) {
		to, ok := renumbered[transaction][id]
		if !ok {
			to = official.CanonicalID(id)
		}
		return to, !strings.Contains(to, ":") // an assertion without an id
	}
	var rules []string
	for _, id := range theirs.Rules {
		if to, ok := rename(id); ok {
			rules = append(rules, to)
		}
	}
	var findings []official.Finding
	for _, f := range theirs.Findings {
		to, ok := rename(f.Rule)
		if ok {
			f.Rule = to
			findings = append(findings, f)
		}
	}
	theirs.Rules, theirs.Findings = rules, findings
	ours := v.Validate([]byte(m.raw), validator.Options{Kind: b.kind, Line: validator.V10})
	for _, d := range official.Compare(ours, theirs) {
		who := "grade"
		switch {
		case !d.Theirs:
			who = "ours"
		case !d.Ours:
			who = "theirs"
		}
		if unexplained(transaction, d.Rule, who, m.name, used) {
			out = append(out, fmt.Sprintf("%s %s %s (%s/%s) %s", transaction, d.Rule, who, d.OurSeverity, d.TheirSeverity, d.NotEvaluated))
		}
	}
	return out
}
