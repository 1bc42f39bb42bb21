package ledger_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
)

var update = flag.Bool("update", false, "write docs/facts.schema.json and the table of kinds in docs/facts.md")

func TestPublishedSchemaIsTheGeneratedOne(t *testing.T) {
	const file = "../docs/facts.schema.json"
	if *update {
		if err := os.WriteFile(file, ledger.Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	published, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, ledger.Schema()) {
		t.Errorf("%s is not what Schema gives; run go test ./ledger -update and read the difference", file)
	}
}

// conforms is as much of a JSON Schema validator as our schema needs; a keyword
// that it does not know fails the test.
func conforms(schema any, v any, path string) error {
	if allowed, ok := schema.(bool); ok {
		if !allowed {
			return fmt.Errorf("%s is not allowed", path)
		}
		return nil
	}
	s := schema.(map[string]any)
	for keyword, arg := range s {
		var err error
		switch keyword {
		case "$schema", "$id", "title", "description", "then", "additionalProperties", "format":
		case "type":
			err = typed(arg.(string), v, path)
		case "enum":
			if !slices.Contains(arg.([]any), v) {
				err = fmt.Errorf("%s: %v is none of %v", path, v, arg)
			}
		case "const":
			if v != arg {
				err = fmt.Errorf("%s is not %v", path, arg)
			}
		case "pattern":
			if text, ok := v.(string); ok && !regexp.MustCompile(arg.(string)).MatchString(text) {
				err = fmt.Errorf("%s: %q does not match %s", path, text, arg)
			}
		case "maxLength":
			if text, ok := v.(string); ok && len([]rune(text)) > int(arg.(float64)) {
				err = fmt.Errorf("%s is too long", path)
			}
		case "minimum":
			if n, ok := v.(float64); ok && n < arg.(float64) {
				err = fmt.Errorf("%s is too small", path)
			}
		case "maximum":
			if n, ok := v.(float64); ok && n > arg.(float64) {
				err = fmt.Errorf("%s is too large", path)
			}
		case "maxItems":
			if l, ok := v.([]any); ok && len(l) > int(arg.(float64)) {
				err = fmt.Errorf("%s has too many", path)
			}
		case "maxProperties":
			if m, ok := v.(map[string]any); ok && len(m) > int(arg.(float64)) {
				err = fmt.Errorf("%s has too many", path)
			}
		case "items":
			if l, ok := v.([]any); ok {
				for i, e := range l {
					if err == nil {
						err = conforms(arg, e, fmt.Sprintf("%s[%d]", path, i))
					}
				}
			}
		case "propertyNames":
			if m, ok := v.(map[string]any); ok {
				for k := range m {
					if err == nil {
						err = conforms(arg, k, path+" name")
					}
				}
			}
		case "required":
			if m, ok := v.(map[string]any); ok {
				for _, k := range arg.([]any) {
					if _, there := m[k.(string)]; !there {
						err = fmt.Errorf("%s.%s is missing", path, k)
					}
				}
			}
		case "properties":
			m, ok := v.(map[string]any)
			if !ok {
				break
			}
			props := arg.(map[string]any)
			for k, e := range m {
				p, known := props[k]
				if !known {
					if p, known = s["additionalProperties"]; !known {
						continue
					}
				}
				if err == nil {
					err = conforms(p, e, path+"."+k)
				}
			}
		case "allOf":
			for _, one := range arg.([]any) {
				if err == nil {
					err = conforms(one, v, path)
				}
			}
		case "if":
			if conforms(arg, v, path) == nil {
				err = conforms(s["then"], v, path)
			}
		default:
			err = fmt.Errorf("this test does not know the keyword %s", keyword)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func typed(want string, v any, path string) error {
	ok := false
	switch v := v.(type) {
	case string:
		ok = want == "string"
	case bool:
		ok = want == "boolean"
	case float64:
		ok = want == "integer" && v == float64(int64(v))
	case []any:
		ok = want == "array"
	case map[string]any:
		ok = want == "object"
	}
	if !ok {
		return fmt.Errorf("%s is no %s", path, want)
	}
	return nil
}

func TestSchemaJudgesAsCheckDoes(t *testing.T) {
	var schema any
	if err := json.Unmarshal(ledger.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	judge := func(line string) error {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		return conforms(schema, v, "fact")
	}
	for f := range ledgertest.Facts(2000, 11) {
		if err := judge(string(ledger.AppendLine(nil, &f))); err != nil {
			t.Fatalf("the schema refuses %s: %v", ledger.AppendLine(nil, &f), err)
		}
	}
	good := `{"id":"a","kind":"nomination","subject":{"country":"AT"},"asserter":"ms:AT","happened_at":"2026-01-05T10:00:00Z","body":{"function":"coordinator"}}`
	if err := judge(good); err != nil {
		t.Fatal(err)
	}
	for _, swap := range [][2]string{
		{`"AT"}`, `"GR"}`},
		{`"id":"a",`, ``},
		{`"id":"a"`, `"id":"a b"`},
		{`"nomination"`, `"nominations"`},
		{`"function":"coordinator"`, `"function":"king"`},
		{`{"function":"coordinator"}`, `{}`},
		{`{"function":"coordinator"}`, `{"function":"coordinator","level":2}`},
		{`{"country":"AT"}`, `{"country":"AT","component":"AP"}`},
		{`{"country":"AT"}`, `{}`},
		{`"happened_at":"2026-01-05T10:00:00Z",`, ``},
		{`"id":"a",`, `"id":"a","extra":1,`},
		{`"id":"a",`, `"id":"a","environment":"prod",`},
		{`"id":"a",`, `"id":"a","points_at":"b",`},
		{`"id":"a",`, `"id":"a","evidence":[{"sha256":"xyz","media_type":"text/plain","size":1}],`},
		{`"nomination"`, `"probe"`},
		{`"coordinator"}`, `7}`},
	} {
		bad := strings.Replace(good, swap[0], swap[1], 1)
		if bad == good {
			t.Fatalf("%v changes nothing", swap)
		}
		if judge(bad) == nil {
			t.Errorf("the schema lets through %s", bad)
		}
		f, err := ledger.DecodeLine([]byte(bad))
		if err == nil {
			err = ledger.Check(f)
		}
		if err == nil {
			t.Errorf("the ledger lets through %s", bad)
		}
	}
}

// The table of kinds in docs/facts.md is made from Kinds.
func TestDocumentedKindsAreTheTable(t *testing.T) {
	const file, begin, end = "../docs/facts.md", "<!-- kinds -->\n", "<!-- /kinds -->"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(page), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks the marks of the table of kinds", file)
	}
	want := kindsTable()
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("the table of kinds in %s is not the one of the code; run go test ./ledger -update", file)
	}
}

func kindsTable() string {
	var b strings.Builder
	b.WriteString("\n| Kind | What it says | Asserted by | Verified by | Environment | Required | Allowed besides | Holds |\n|---|---|---|---|---|---|---|---|\n")
	code := func(names []string, none string) string {
		if len(names) == 0 {
			return none
		}
		return "`" + strings.Join(names, "` `") + "`"
	}
	for _, r := range ledger.Kinds {
		environment := "optional"
		if r.Environment {
			environment = "required"
		}
		may := code(r.May, "–")
		if r.Kind == ledger.Correction {
			may = "the fields of the kind it corrects"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", r.Kind, r.About,
			code(r.Asserters, "any"), code(r.Verifiers, "–"), environment, code(r.Needs, "–"), may, r.Lasts)
	}
	b.WriteString("\nCodes that a field may hold, by kind:\n\n| Kind | Field | Codes |\n|---|---|---|\n")
	for _, r := range ledger.Kinds {
		var fields []string
		for f := range r.Codes {
			fields = append(fields, f)
		}
		slices.Sort(fields)
		for _, f := range fields {
			fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", r.Kind, f, code(r.Codes[f], ""))
		}
	}
	return b.String() + "\n"
}
