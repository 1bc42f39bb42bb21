package opendata

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/ledger"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	pages = Pages{"https://meter.example"}
	june  = time.Date(2026, 6, 30, 23, 59, 59, 0, time.UTC)
	drawn = acceleratormeter.BoardEUEEA.Drawn()
	snap  = acceleratormeter.Snapshot{Schema: 1, ID: "s2", Sequence: 2, AsOf: june, PublishedAt: june, CriteriaSet: "AM-1", Entries: []acceleratormeter.Entry{
		{Member: "EL", Level: 4, Since: june.AddDate(0, -3, 0)}, {Member: "BE", Level: 0}, {Member: "NO", Level: 6, Since: june},
	}}
	moves = []acceleratormeter.Move{
		{Member: "EL", From: 3, To: 4, Sequence: 2, At: june, Basis: acceleratormeter.ByDecision, Reason: `a "new" line, adopted`, Criteria: []string{"AM4.1", "AM4.2"}},
		{Member: "NO", From: 0, To: 1, Sequence: 2, At: june, Basis: acceleratormeter.Computed, Sample: true},
	}
	matrix = acceleratormeter.Matrix{Countries: []string{"BE", "EL"}, Cells: []acceleratormeter.Pair{
		{Asks: "BE", Answers: "EL", State: acceleratormeter.PairVerified}, {Asks: "EL", Answers: "BE", State: acceleratormeter.PairFailed, Facts: []string{"f1"}}}}
)

func documents() map[string][]byte {
	levels := Levels(pages, []acceleratormeter.Snapshot{snap}, drawn)
	m := Moves(pages, moves, drawn)
	pairs := Pairs(pages, june, PublicPairs(matrix, false), false)
	feed := Feed{ID: "tag:meter.example,2026:moves", Title: "Moves & more", Lang: "en", Self: "https://meter.example/feed.atom", Page: "https://meter.example/history", Author: "A",
		Entries: []FeedEntry{{"tag:meter.example,2026:moves/EL/2", "Greece <4>", "https://meter.example/countries/el", june, "from 3 to 4"}}}
	badge := Badge{Label: "Greece", Message: "level 4, technically ready", Title: "Greece & once-only: level 4", Level: 4}
	catalog := Catalog{Base: pages.Base, Title: Texts{"en": "Acceleratormeter", "el": "Μετρητής"}, Desc: Texts{"en": "Levels"}, Publisher: "A project",
		Issued: june, Modified: june, From: june.AddDate(-1, 0, 0), To: june, Countries: []string{"GRC"},
		Datasets: []Dataset{{ID: "levels", Title: Texts{"en": "Levels"}, Desc: Texts{"en": "All"}, Page: pages.Base + "/data", Issued: june, Modified: june, From: june, To: june,
			Files: []File{{pages.Base + "/data/levels.csv", "CSV", "text/csv", "", levels.CSV()}}}}}
	return map[string][]byte{
		"levels.csv": levels.CSV(), "levels.json": levels.JSON(), "moves.csv": m.CSV(), "moves.json": m.JSON(),
		"pairs.csv": pairs.CSV(), "pairs.json": pairs.JSON(), "feed.atom": feed.Atom(),
		"badge.svg": badge.SVG(), "badge.json": badge.Shields(), "catalog.jsonld": catalog.JSONLD(),
		"oembed.json": OEmbed{"Acceleratormeter", pages.Base, "Board", pages.Base + "/embed/board?theme=dark&x=1", 800, 520}.JSON(),
	}
}

func TestGolden(t *testing.T) {
	for name, got := range documents() {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s differs (go test -update writes it anew):\n%s", file, diff)
		}
	}
}

// CSV and JSON are two ways to write the same records, whatever is in them.
func TestCSVAndJSONCarryEqualRecords(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, table *Table) {
		lines, err := csv.NewReader(bytes.NewReader(table.CSV())).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", table.Name, err)
		}
		var doc struct {
			Schema  int
			Records []map[string]any
		}
		d := json.NewDecoder(bytes.NewReader(table.JSON()))
		d.UseNumber()
		if err := d.Decode(&doc); err != nil {
			t.Fatalf("%s: %v", table.Name, err)
		}
		if doc.Schema != 1 || len(doc.Records) != len(lines)-1 || len(doc.Records) != len(table.Rows) {
			t.Fatalf("%s: schema %d, %d JSON records, %d CSV records, %d rows", table.Name, doc.Schema, len(doc.Records), len(lines)-1, len(table.Rows))
		}
		for i, record := range doc.Records {
			if len(record) != len(lines[0]) {
				t.Fatalf("%s: record %d has %d fields, the header %d", table.Name, i, len(record), len(lines[0]))
			}
			for k, name := range lines[0] {
				v, ok := record[name]
				text := fmt.Sprint(v)
				if v == nil {
					text = ""
				}
				if !ok || text != lines[i+1][k] {
					t.Fatalf("%s: record %d, %s: JSON %q, CSV %q", table.Name, i, name, text, lines[i+1][k])
				}
			}
		}
	}
	check(t, Levels(pages, []acceleratormeter.Snapshot{snap}, drawn))
	check(t, Snapshot(pages, &snap, drawn))
	check(t, Moves(pages, moves, drawn))
	check(t, Pairs(pages, june, matrix, true))
	rapid.Check(t, func(t *rapid.T) {
		// A bare carriage return before a line feed reads back as a line feed alone (encoding/csv).
		text := rapid.Map(rapid.String(), func(s string) string { return strings.ReplaceAll(s, "\r", "") })
		table := Table{Name: "any", Columns: []Column{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			table.Rows = append(table.Rows, []any{"x" + text.Draw(t, "text"), rapid.IntRange(-9, 1<<40).Draw(t, "n"), nil})
		}
		check(t, &table)
	})
}

func TestAFileTellsWhatIsNotKnown(t *testing.T) {
	s := string(Levels(pages, []acceleratormeter.Snapshot{snap}, drawn).CSV())
	for _, want := range []string{
		"2026-06-30,BE,BE,Belgium,EU,,,,https://meter.example/countries/be?at=2026-06-30,AM-1,not_assessed\r\n",
		"2026-06-30,EL,GR,Greece,EU,4,Technically ready,2026-03-30,https://meter.example/countries/el?at=2026-06-30,AM-1,assessed\r\n",
		"2026-06-30,AT,AT,Austria,EU,,,,", // in no snapshot at all
	} {
		if !strings.Contains(s, want) {
			t.Errorf("levels.csv lacks %q", want)
		}
	}
	if n := strings.Count(s, "\r\n"); n != 31 {
		t.Errorf("%d lines, want a header and 30 countries", n)
	}
	sample := snap
	sample.Sample = true
	if n := strings.Count(string(Snapshot(pages, &sample, acceleratormeter.BoardEU.Drawn()).CSV()), ",sample\r\n"); n != 27 {
		t.Errorf("%d records are marked as sample, want all 27", n)
	}
}

func TestOnlyVerifiedPairsArePublic(t *testing.T) {
	out := PublicPairs(matrix, false)
	if out.Cells[0].State != acceleratormeter.PairVerified || out.Cells[1].State != acceleratormeter.PairNone || out.Cells[1].Facts != nil {
		t.Errorf("public pairs: %+v", out.Cells)
	}
	if matrix.Cells[1].State != acceleratormeter.PairFailed {
		t.Error("the matrix itself was changed")
	}
	if out := PublicPairs(matrix, true); out.Cells[1].State != acceleratormeter.PairFailed {
		t.Error("invented data have nothing to hide")
	}
}

func TestWhatIsNotPublicShowsAsExisting(t *testing.T) {
	secret := ledger.Fact{ID: "p1", Kind: ledger.PeerTest, Asserter: "team:AT/portal", Verifier: "monitor:7f3a",
		Subject:    ledger.Subject{Country: "AT", Role: ledger.Requester, Partner: "BE", System: "s1", Component: "AP", Authority: "a1"},
		HappenedAt: june, RecordedAt: june, PointsAt: "p0",
		Evidence: []ledger.Evidence{{SHA256: strings.Repeat("a", 64), MediaType: "text/plain", Size: 5}},
		Body:     ledger.Body{Case: "TC01", Outcome: "fail", Note: "secret"}}
	for _, rule := range ledger.Kinds {
		f := secret
		f.Kind = rule.Kind
		p := Disclose(ledger.Entry{Position: 7, Fact: f})
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if p.Position != 7 || p.LeafHash == "" || p.Fact.ID != "p1" || p.Fact.Kind != rule.Kind || p.Fact.Subject.Country != "AT" {
			t.Errorf("%s does not show that it exists: %s", rule.Kind, raw)
		}
		if p.Fact.Evidence[0].SHA256 == "" || p.Fact.Evidence[0].Size != 0 {
			t.Errorf("%s: evidence that is not public shows as %+v", rule.Kind, p.Fact.Evidence)
		}
		if p.Disclosed {
			continue
		}
		if p.Withheld == "" {
			t.Errorf("%s is withheld without a reason", rule.Kind)
		}
		for _, leak := range []string{"secret", "TC01", "fail", "BE\"", "s1", "a1", "portal", "7f3a"} {
			if strings.Contains(string(raw), leak) {
				t.Errorf("%s is not public and leaks %s: %s", rule.Kind, leak, raw)
			}
		}
	}
	for kind, want := range map[ledger.Kind]bool{ledger.PublicEvent: true, ledger.Nomination: true, ledger.PeerTest: false, ledger.Verdict: false,
		ledger.TransactionAttestation: false, ledger.Blocker: false, ledger.Incident: false, ledger.ReadinessCheck: false, ledger.Probe: false} {
		if Disclosed(&ledger.Fact{Kind: kind}) != want {
			t.Errorf("%s disclosed: %v", kind, !want)
		}
	}
	exchange := Disclose(ledger.Entry{Fact: ledger.Fact{Kind: ledger.TransactionAttestation, HappenedAt: june}})
	if !exchange.Fact.HappenedAt.IsZero() {
		t.Error("the time of an exchange is shown without the countries' consent")
	}
	for action, want := range map[string]bool{"override": true, "correct": true, "freeze": false, "hold": false, "confirm": false} {
		if Disclosed(&ledger.Fact{Kind: ledger.Decision, Body: ledger.Body{Action: action}}) != want {
			t.Errorf("decision %s disclosed: %v", action, !want)
		}
	}
}

func TestFeedIsAtom(t *testing.T) {
	var f struct {
		XMLName xml.Name
		ID      string   `xml:"id"`
		Title   string   `xml:"title"`
		Updated string   `xml:"updated"`
		Author  []string `xml:"author>name"`
		Links   []struct {
			Rel string `xml:"rel,attr"`
		} `xml:"link"`
		Entries []struct {
			ID      string `xml:"id"`
			Title   string `xml:"title"`
			Updated string `xml:"updated"`
			Link    struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(documents()["feed.atom"], &f); err != nil {
		t.Fatal(err)
	}
	if f.XMLName.Space != "http://www.w3.org/2005/Atom" || f.XMLName.Local != "feed" || f.ID == "" || f.Title != "Moves & more" || len(f.Author) != 1 || len(f.Links) != 2 {
		t.Errorf("feed %+v", f)
	}
	if f.Updated != "2026-06-30T23:59:59Z" {
		t.Errorf("updated %s: want that of the newest entry", f.Updated)
	}
	for _, e := range f.Entries {
		if _, err := time.Parse(time.RFC3339, e.Updated); err != nil || e.ID == "" || e.Link.Href == "" {
			t.Errorf("entry %+v: %v", e, err)
		}
	}
}

func TestCatalogIsDCAT(t *testing.T) {
	var c struct {
		Type     string            `json:"@type"`
		Context  map[string]string `json:"@context"`
		Datasets []map[string]any  `json:"dcat:dataset"`
	}
	if err := json.Unmarshal(documents()["catalog.jsonld"], &c); err != nil {
		t.Fatal(err)
	}
	if c.Type != "dcat:Catalog" || c.Context["dcat"] != "http://www.w3.org/ns/dcat#" {
		t.Errorf("%s with %v", c.Type, c.Context)
	}
	types := map[any]int{}
	for _, d := range c.Datasets {
		types[d["@type"]]++
		mandatory := []string{"dct:title", "dct:description", "dct:publisher", "dct:issued", "dct:modified", "dct:temporal", "dct:spatial", "dct:license"}
		if d["@type"] == "dcat:Dataset" {
			mandatory = append(mandatory, "dcat:inSeries", "dcat:distribution", "dcat:landingPage")
		}
		for _, name := range mandatory {
			if d[name] == nil {
				t.Errorf("%s lacks %s", d["@id"], name)
			}
		}
	}
	if types["dcat:Dataset"] != 1 || types["dcat:DatasetSeries"] != 1 {
		t.Errorf("datasets by type: %v", types)
	}
	// Every prefix that the document uses is in its context.
	for _, word := range strings.FieldsFunc(string(documents()["catalog.jsonld"]), func(r rune) bool { return strings.ContainsRune("\" \n{}[],", r) }) {
		prefix, rest, ok := strings.Cut(word, ":")
		if ok && !strings.HasPrefix(rest, "//") && rest != "" && c.Context[prefix] == "" && prefix != "tag" && !strings.Contains(word, "T23") {
			t.Errorf("%s has no namespace", word)
		}
	}
}

func TestBadgesSpeak(t *testing.T) {
	svg := string(documents()["badge.svg"])
	for _, want := range []string{"<title id=\"t\">Greece &amp; once-only: level 4</title>", `role="img"`, ">Greece</text>", "prefers-color-scheme:dark", "#005D56", "#45CDC2"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the badge lacks %s", want)
		}
	}
	if err := xml.Unmarshal([]byte(svg), new(struct{ XMLName xml.Name })); err != nil {
		t.Error(err)
	}
	var s map[string]any
	if err := json.Unmarshal(documents()["badge.json"], &s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"schemaVersion": 1.0, "label": "Greece", "message": "level 4, technically ready", "color": "005D56"}, s); diff != "" {
		t.Error(diff)
	}
}

func TestOEmbedIsRich(t *testing.T) {
	var o struct {
		Type, Version, HTML string
		Width, Height       int
	}
	if err := json.Unmarshal(documents()["oembed.json"], &o); err != nil {
		t.Fatal(err)
	}
	if o.Type != "rich" || o.Version != "1.0" || o.Width != 800 || o.Height != 520 || !strings.Contains(o.HTML, `src="https://meter.example/embed/board?theme=dark&amp;x=1"`) {
		t.Errorf("%+v", o)
	}
}

func BenchmarkLevelsJSON(b *testing.B) {
	s := snap
	for _, c := range drawn {
		s.Entries = append(s.Entries, acceleratormeter.Entry{Member: c.Code, Level: 3, Since: june})
	}
	var all []acceleratormeter.Snapshot
	for range 12 {
		all = append(all, s)
	}
	for b.Loop() {
		Levels(pages, all, drawn).JSON()
	}
}
