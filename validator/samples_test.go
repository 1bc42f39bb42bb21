package validator

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// samples finds the folder with messages of other people beside the project, or
// skips: a fresh clone does not have it.
func samples(t testing.TB, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "samples"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the folder ../shared/samples is not here")
	}
	return path
}

// exchange12 are the messages of the official two-step exchange of line 1.2.
var exchange12 = []string{"EDM_Ferst_Request.xml", "EDM_Ferst_Response.xml", "EDM_Second_Request.xml", "EDM_Second_Response.xml"}

func readExchange12(t testing.TB) map[string]string {
	dir := samples(t, "edm-1.2")
	out := map[string]string{}
	for _, name := range exchange12 {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

// rulesOf lists the ids of the findings, each once, sorted, advice apart.
func rulesOf(r *Report) (ids, advice []string) {
	for _, f := range r.Findings {
		if f.Advice {
			advice = append(advice, f.Rule)
		} else {
			ids = append(ids, f.Rule)
		}
	}
	slices.Sort(ids)
	slices.Sort(advice)
	return slices.Compact(ids), slices.Compact(advice)
}

// judgeAll judges the messages one by one and as conversations.
func judgeAll(v *Validator, names []string, texts map[string]string) (single map[string]*Report, between []*Report) {
	single = map[string]*Report{}
	var messages []*Message
	for _, name := range names {
		r := v.Validate([]byte(texts[name]), Options{Name: name})
		single[name] = r
		messages = append(messages, r.Message)
	}
	for _, c := range Assemble(messages, Related{}) {
		between = append(between, v.Compare(c))
	}
	return single, between
}

// The 1.2 exchange has exactly the defects that its README lists.
func TestSampleExchangeDefects(t *testing.T) {
	texts := readExchange12(t)
	single, between := judgeAll(New(Config{}), exchange12, texts)
	want := map[string][]string{
		"EDM_Ferst_Request.xml":   {"R-EDM-REQ-C027", "R-EDM-REQ-C115", "STR-05"}, // (2) xsi:lang, (3) white space; C115 is C027's caution
		"EDM_Ferst_Response.xml":  {"R-EDM-ERR-C028", "STR-05"},                   // (4) lang="en", (2)
		"EDM_Second_Request.xml":  {"R-EDM-REQ-C027", "R-EDM-REQ-C115", "STR-05"},
		"EDM_Second_Response.xml": {"R-EDM-RESP-C017"}, // (3)
	}
	for name, r := range single {
		ids, _ := rulesOf(r)
		if !slices.Equal(ids, want[name]) {
			t.Errorf("%s: found %v, want %v", name, ids, want[name])
		}
		hasNote := len(r.Notes) == 1 && strings.Contains(r.Notes[0].Text, "SR_metadata")
		if isRequest := strings.Contains(name, "Request"); isRequest != hasNote { // (1)
			t.Errorf("%s: notes %v", name, r.Notes)
		}
	}
	if len(between) != 1 {
		t.Fatalf("%d conversations, want one", len(between))
	}
	var got []string
	for _, f := range between[0].Findings {
		got = append(got, f.File+" "+f.Rule+" "+f.Severity.String())
	}
	slices.Sort(got)
	wantBetween := []string{
		"EDM_Ferst_Response.xml X-13 FATAL",
		"EDM_Second_Response.xml X-15 FATAL",
		"EDM_Second_Response.xml X-22 WARNING",
	}
	if !slices.Equal(got, wantBetween) {
		t.Errorf("between the messages: found %q, want %q", got, wantBetween)
	}
}

// mended12 repairs defects (2) to (5) of the exchange.
func mended12(t testing.TB) map[string]string {
	texts := readExchange12(t)
	for name, s := range texts {
		s = strings.ReplaceAll(s, "xsi:lang=", "xml:lang=")
		for _, tag := range []string{"sdg:EvidenceTypeClassification"} {
			s = trimInside(s, tag)
		}
		s = strings.Replace(s, `lang="en">University`, `lang="EN">University`, 1)
		s = strings.ReplaceAll(s, ">NL22233223<", ">NL222332239<")
		s = strings.ReplaceAll(s, "17a2b329-5ae5-4de6-b360-db504fad0526", "edf717b7-b373-40b1-b51b-cbb7c9d64de5")
		if name == "EDM_Second_Response.xml" {
			s = strings.Replace(s, "2022-02-14T19:20:30+02:00", "2022-02-16T19:20:30+02:00", 1)
		}
		texts[name] = s
	}
	return texts
}

// trimInside removes the white space around the text of an element.
func trimInside(s, tag string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "<"+tag+">")
		if i < 0 {
			break
		}
		i += len(tag) + 2
		j := i + strings.Index(s[i:], "</")
		b.WriteString(s[:i] + strings.TrimSpace(s[i:j]))
		s = s[j:]
	}
	return b.String() + s
}

// With the defects mended the four messages and their conversation are sound.
func TestSampleExchangeMended(t *testing.T) {
	single, between := judgeAll(New(Config{}), exchange12, mended12(t))
	for name, r := range single {
		if ids, _ := rulesOf(r); len(ids) != 0 || r.Refused() {
			t.Errorf("%s: still %v", name, ids)
		}
	}
	if len(between) != 1 || len(between[0].Findings) != 0 {
		t.Errorf("between the messages: %+v", between)
	}
	for _, want := range []string{"X-10", "X-11", "X-13", "X-14", "X-15", "X-16", "X-18", "X-30", "X-32", "X-34", "X-35"} {
		if !slices.Contains(between[0].Passed, want) {
			t.Errorf("%s was not judged", want)
		}
	}
}

// Every sample file is judged or refused with a reason, and nothing panics.
func TestEverySampleIsJudged(t *testing.T) {
	dir := samples(t)
	v := New(Config{})
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r := v.Validate(src, Options{Name: d.Name()})
		if r.Message == nil && len(r.Findings) != 1 {
			t.Errorf("%s: neither read nor refused", path)
		}
		for _, f := range r.Findings {
			if f.Rule == "" || f.Expected == "" || f.Mend == "" || f.Cites == "" {
				t.Errorf("%s: an incomplete finding: %+v", path, f)
			}
		}
		n++
		return nil
	})
	if err != nil || n < 50 {
		t.Errorf("%d files judged: %v", n, err)
	}
}
