package chart

import (
	"encoding/xml"
	"flag"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	words  = Words{ID: "c1", Title: "20 of 30 & <more>", Desc: "Read it from left to right."}
	span   = Span{day("2024-01-01"), day("2026-12-31")}
	levels = [6]string{"Initial", "Preliminary", "Intermediate", "Technically ready", "First live transactions", "End-user transactions"}
	steps  = []Step{
		{day("2024-01-01"), 0}, {day("2024-04-01"), 1}, {day("2024-10-01"), 3},
		{day("2025-07-01"), 4}, {day("2026-02-01"), 3}, {day("2026-08-01"), 5},
	}
	ticks = []Tick{{day("2024-01-01"), "2024"}, {day("2025-01-01"), "2025"}, {day("2026-01-01"), "2026"}}
)

func charts() map[string]template.HTML {
	days := []Day{{day("2026-06-01"), 120, 0, 0}, {day("2026-06-02"), 130, 60, 30}, {day("2026-06-03"), 130, 128, 125}}
	return map[string]template.HTML{
		"meter":   Meter(words, Counts{1, 3, 6, 9, 7, 4}),
		"spark":   Spark(span, steps),
		"journey": Journey(words, span, steps, []Mark{{day("2025-06-11"), "Projectathon 6"}}, ticks, levels),
		"burnup": BurnUp(words, Span{day("2026-06-01"), day("2026-06-03")}, day("2026-06-02"), days,
			BurnUpWords{"Planned", "Run", "Verified", "Today"}, []Tick{{day("2026-06-01"), "1 Jun"}}),
	}
}

func TestGolden(t *testing.T) {
	for name, got := range charts() {
		pretty := strings.ReplaceAll(string(got), "><", ">\n<") + "\n"
		file := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(file, []byte(pretty), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), pretty); diff != "" {
			t.Errorf("%s differs from %s (go test -update writes it anew):\n%s", name, file, diff)
		}
	}
}

func TestEveryChartSpeaks(t *testing.T) {
	for name, got := range charts() {
		s := string(got)
		if err := wellFormed(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "spark" {
			if !strings.Contains(s, `aria-hidden="true"`) {
				t.Error("a spark without words must be hidden from screen readers")
			}
			continue
		}
		for _, want := range []string{`role="img"`, `aria-labelledby="c1-t c1-d"`, `<title id="c1-t">20 of 30 &amp; &lt;more&gt;</title>`, `<desc id="c1-d">`} {
			if !strings.Contains(s, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
	}
}

// Whatever the numbers are, a chart is well formed, and every level that has a
// country is drawn.
func TestChartsOfAnyData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c Counts
		for i := range c {
			c[i] = rapid.IntRange(0, 30).Draw(t, "count")
		}
		var steps []Step
		at := span.From
		for range rapid.IntRange(0, 8).Draw(t, "steps") {
			at = at.AddDate(0, 0, rapid.IntRange(0, 200).Draw(t, "days"))
			steps = append(steps, Step{at, rapid.IntRange(0, 6).Draw(t, "level")})
		}
		for _, svg := range []template.HTML{
			Meter(words, c), Spark(span, steps),
			Journey(words, span, steps, nil, nil, levels),
			BurnUp(words, span, span.To, nil, BurnUpWords{}, nil),
		} {
			if err := wellFormed(string(svg)); err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
			if strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), `height="-`) || strings.Contains(string(svg), `width="-`) {
				t.Fatalf("a number is off in %s", svg)
			}
		}
		filled := 0
		for _, n := range c {
			if n > 0 {
				filled++
			}
		}
		if n := strings.Count(string(Meter(words, c)), "<rect"); n != filled {
			t.Fatalf("%d bars for %v", n, c)
		}
	})
}

func TestAJourneyShowsAStepBackHollow(t *testing.T) {
	s := string(charts()["journey"])
	if n := strings.Count(s, `class="dot back"`); n != 1 {
		t.Errorf("%d hollow dots, want one", n)
	}
	if n := strings.Count(s, `class="gap"`); n != 1 {
		t.Errorf("%d gaps, want one: the time without assessment", n)
	}
}

func BenchmarkJourney(b *testing.B) {
	for b.Loop() {
		Journey(words, span, steps, nil, ticks, levels)
	}
}

func wellFormed(s string) error {
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
