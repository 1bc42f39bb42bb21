package ledger_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/ledger/ledgertest"
)

// encodingJSON writes a fact by the standard library: the oracle of AppendLine.
func encodingJSON(t interface{ Fatal(...any) }, f *ledger.Fact) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		t.Fatal(err)
	}
	// encoding/json writes a struct that is left with nothing as {}.
	return bytes.Replace(bytes.TrimSpace(b.Bytes()), []byte(`"subject":{},`), nil, 1)
}

func TestLinesAreWhatEncodingJSONWrites(t *testing.T) {
	for f := range ledgertest.Facts(3000, 7) {
		want := encodingJSON(t, &f)
		got := ledger.AppendLine(nil, &f)
		if !bytes.Equal(got, want) {
			t.Fatalf("wrote %s\nwant  %s", got, want)
		}
		back, err := ledger.DecodeLine(got)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(f, back); d != "" {
			t.Fatal(d)
		}
	}
}

// anyFact fills every field of a fact with arbitrary values, by reflection, so
// that a field that the tables forget shows.
func anyFact(t *rapid.T) ledger.Fact {
	var f ledger.Fact
	fill(t, reflect.ValueOf(&f).Elem())
	return f
}

func fill(t *rapid.T, v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		if rapid.Bool().Draw(t, "given") {
			ms := rapid.Int64Range(-2_000_000_000_000, 9_000_000_000_000).Draw(t, "ms")
			v.Set(reflect.ValueOf(time.UnixMilli(ms).UTC()))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "flag"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(-1e12, 1e12).Draw(t, "number"))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "n")
		for range n {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(t, e)
			v.Set(reflect.Append(v, e))
		}
	case reflect.Map:
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			if v.IsNil() {
				v.Set(reflect.MakeMap(v.Type()))
			}
			v.SetMapIndex(reflect.ValueOf(rapid.String().Draw(t, "key")), reflect.ValueOf(rapid.IntRange(-9, 9999).Draw(t, "value")))
		}
	default:
		t.Fatalf("a fact holds a %s; teach the tables of rows and this test", v.Type())
	}
}

func TestEveryFieldTravels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFact(t)
		line := ledger.AppendLine(nil, &f)
		if want := encodingJSON(t, &f); !bytes.Equal(line, want) {
			t.Fatalf("wrote %s\nwant  %s", line, want)
		}
		if len(line) > ledger.MaxLine {
			return
		}
		back, err := ledger.DecodeLine(line)
		if err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if again := ledger.AppendLine(nil, &back); !bytes.Equal(again, line) {
			t.Fatalf("read and written again: %s\nwas %s", again, line)
		}
	})
}

// wide is valid JSON that no canonical line looks like.
const wide = ` { "body" : {"note":"a\u00e9\ud83d\ude00\/\t\"", "count": 0, "totals":{"a":-1}} ,
	"kind":"probe", "happened_at":"2026-03-31T14:00:00.1234567+02:00", "sample":false, "evidence":[ ], "id":"x",
	"subject":{ } } `

func TestReaderTakesAnyJSON(t *testing.T) {
	f, err := ledger.DecodeLine([]byte(wide))
	if err != nil {
		t.Fatal(err)
	}
	var want ledger.Fact
	if err := json.Unmarshal([]byte(wide), &want); err != nil {
		t.Fatal(err)
	}
	want.HappenedAt, want.Evidence = ledger.Milli(want.HappenedAt), nil
	if d := cmp.Diff(want, f); d != "" {
		t.Error(d)
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, c := range []struct{ line, field, reason string }{
		{``, "", "a JSON object"},
		{`[]`, "", "a JSON object"},
		{`{"id":"a"`, "id", "the end of the line"},
		{`{"id":"a"} x`, "", "something after the fact"},
		{`{"id":"a"}{"id":"b"}`, "", "something after the fact"},
		{`{"id":"a",}`, "", "a name in quotes"},
		{`{"id":null}`, "id", "a text in quotes"},
		{`{"id":7}`, "id", "a text in quotes"},
		{`{"ID":"a"}`, "ID", "is no field of a fact"},
		{`{"subject":{"land":"AT"}}`, "subject.land", "country, role, system"},
		{`{"subject":"AT"}`, "subject", "a JSON object"},
		{`{"body":{"count":1.5}}`, "body.count", "a whole number"},
		{`{"body":{"count":1e3}}`, "body.count", "a whole number"},
		{`{"body":{"count":01}}`, "body.count", "a whole number"},
		{`{"body":{"count":-}}`, "body.count", "a whole number"},
		{`{"body":{"count":99999999999999999999}}`, "body.count", "too large"},
		{`{"body":{"lines":"v2"}}`, "body.lines", "a list"},
		{`{"body":{"lines":["a" "b"]}}`, "body.lines", "a comma"},
		{`{"body":{"closed":"yes"}}`, "body.closed", "true or false"},
		{`{"body":{"totals":{"a":1,"a":2}}}`, "body.totals", "stands twice"},
		{`{"body":{"totals":[]}}`, "body.totals", "numbers"},
		{`{"body":{},"body":{}}`, "body", "stands twice"},
		{`{"evidence":[{"sha265":"x"}]}`, "evidence[0].sha265", "is no field"},
		{`{"happened_at":"yesterday"}`, "happened_at", "2026-03-31T12:00:00Z"},
		{`{"happened_at":"2026-02-30T12:00:00Z"}`, "happened_at", "is no time"},
		{`{"happened_at":"0001-01-01T00:00:00Z"}`, "happened_at", "is no time"},
		{"{\"id\":\"a\tb\"}", "id", "U+0009"},
		{"{\"id\":\"a\xff\"}", "id", "UTF-8"},
		{"{\"id\":\"\\n\xff\"}", "id", "UTF-8"},
		{`{"id":"\x"}`, "id", "escape"},
		{`{"id":"\ud800"}`, "id", "no character"},
		{`{"id":"\ud800\u0041"}`, "id", "no character"},
		{`{"id":"\u12"}`, "id", "no character"},
		{`{"body":{"lines":[` + strings.Repeat(`"a",`, 1001) + `"a"]}}`, "body.lines", "more than 1000"},
		{`{"id":"` + strings.Repeat("a", ledger.MaxLine) + `"}`, "", "the most are 65536"},
		{strings.Repeat(`{"body":`, 200), "body.body", "is no field"},
	} {
		_, err := ledger.DecodeLine([]byte(c.line))
		var r *ledger.Refusal
		if !errors.As(err, &r) {
			t.Errorf("%.60s: %v, want a refusal", c.line, err)
			continue
		}
		if r.Field != c.field || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%.60s: refused %q: %s; want %q: …%s…", c.line, r.Field, r.Reason, c.field, c.reason)
		}
	}
}

func FuzzDecodeLine(f *testing.F) {
	for fact := range ledgertest.Facts(60, 5) {
		f.Add(ledger.AppendLine(nil, &fact))
	}
	f.Add([]byte(wide))
	f.Fuzz(func(t *testing.T, line []byte) {
		fact, err := ledger.DecodeLine(line)
		if err != nil {
			var r *ledger.Refusal
			if !errors.As(err, &r) || r.Reason == "" {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		// What we read, encoding/json reads too, and the same.
		var want ledger.Fact
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("read what is no JSON: %v", err)
		}
		canonical := ledger.AppendLine(nil, &fact)
		again, err := ledger.DecodeLine(canonical)
		if err != nil && len(canonical) <= ledger.MaxLine {
			t.Fatalf("%v in %s", err, canonical)
		}
		if err == nil && !bytes.Equal(ledger.AppendLine(nil, &again), canonical) {
			t.Fatalf("unstable: %s", canonical)
		}
		if want.ID != fact.ID || want.Kind != fact.Kind || want.Body.Note != fact.Body.Note || want.Body.Count != fact.Body.Count || !ledger.Milli(want.HappenedAt).Equal(fact.HappenedAt) {
			t.Fatalf("read %s otherwise than encoding/json", line)
		}
		_ = ledger.Check(fact)
	})
}

func FuzzReadFacts(f *testing.F) {
	var file bytes.Buffer
	if err := ledgertest.WriteFacts(&file, 20, 5); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte("\n\r\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := bytes.Count(data, []byte("\n")) + 1
		for fact, err := range ledger.ReadFacts(bytes.NewReader(data)) {
			if err != nil {
				var r *ledger.Refusal
				if !errors.As(err, &r) || r.Line < 1 || r.Line > lines {
					t.Fatalf("%v names no line of %d", err, lines)
				}
				return
			}
			if err := ledger.Check(fact); err != nil {
				t.Fatal("an unchecked fact came out: ", err)
			}
		}
	})
}
