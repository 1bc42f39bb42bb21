package social

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/card.png anew")

var card = Card{
	Brand: "Acceleratormeter", Headline: "20 of 30 countries are technically ready for once-only",
	Counts: [6]int{1, 3, 6, 9, 7, 4}, Levels: [6]string{"Level 1", "Level 2", "Level 3", "Level 4", "Level 5", "Level 6"},
	Left: "Position on 20 November 2026, sample data", Right: "Independent site",
}

// The picture is compared point by point and not by its bytes, which depend on
// the compressor.
func TestCard(t *testing.T) {
	got, err := card.PNG()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/card.png", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/card.png")
	if err != nil {
		t.Fatal(err)
	}
	a, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	b, err := png.Decode(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if a.Bounds().Dx() != 1200 || a.Bounds().Dy() != 630 || a.Bounds() != b.Bounds() {
		t.Fatalf("the picture has %v, want 1200 by 630", a.Bounds())
	}
	differ := 0
	for y := range 630 {
		for x := range 1200 {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			if far(r1, r2) || far(g1, g2) || far(b1, b2) {
				differ++
			}
		}
	}
	if differ > 200 { // rounding of another processor may move an edge
		t.Errorf("%d points differ from testdata/card.png (go test -update writes it anew)", differ)
	}
}

func far(a, b uint32) bool { return a > b+0x0800 || b > a+0x0800 }

func TestEveryLanguageFits(t *testing.T) {
	for _, headline := range []string{
		"20 από τις 30 χώρες είναι τεχνικά έτοιμες για την εφαρμογή της αρχής «μόνον άπαξ»",
		"20 von 30 Ländern sind technisch bereit für den Grundsatz der einmaligen Erfassung personenbezogener Nachweise",
		"20 от 30 държави са технически готови", strings.Repeat("word ", 200), strings.Repeat("long", 100), "",
	} {
		c := card
		c.Headline, c.Counts = headline, [6]int{0, 0, 30, 0, 0, 0}
		if _, err := c.PNG(); err != nil {
			t.Errorf("%.40s: %v", headline, err)
		}
	}
	empty := Card{Brand: "Acceleratormeter", Headline: "No snapshot yet"}
	if _, err := empty.PNG(); err != nil {
		t.Error(err)
	}
}

func BenchmarkCard(b *testing.B) {
	for b.Loop() {
		if _, err := card.PNG(); err != nil {
			b.Fatal(err)
		}
	}
}
