package flag

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

const codes = "BE BG CZ DK DE EE IE EL ES FR HR IT CY LV LT LU HU MT NL AT PL PT RO SI SK FI SE IS LI NO"

func TestEveryCountryHasOneFlag(t *testing.T) {
	for _, code := range strings.Fields(codes) {
		if n := strings.Count(string(sprite), `id="f-`+strings.ToLower(code)+`"`); n != 1 {
			t.Errorf("%s is drawn %d times, want once", code, n)
		}
		for _, form := range []func() (string, bool){
			func() (string, bool) { return Standalone(code, 40) },
			func() (string, bool) { return Inside(code, 1, 2, 24, 16) },
		} {
			svg, ok := form()
			if !ok {
				t.Errorf("%s: no flag", code)
			}
			if err := wellFormed(svg); err != nil {
				t.Errorf("%s: %v in %s", code, err, svg)
			}
		}
	}
	if n := strings.Count(string(sprite), "<symbol "); n != 30 {
		t.Errorf("the sprite has %d symbols, want 30", n)
	}
	for _, none := range []string{"GR", "EU", "", "XX", `at" x="`} {
		if _, ok := Standalone(none, 16); ok {
			t.Errorf("%q has a flag", none)
		}
	}
}

func TestSpriteIsSmallAndPlain(t *testing.T) {
	if len(sprite) > 14<<10 {
		t.Errorf("the sprite has %d bytes, the budget is 14 kB", len(sprite))
	}
	if err := wellFormed(string(sprite)); err != nil {
		t.Error(err)
	}
	for _, forbidden := range []string{"<script", "<style", "href", "url(", "<image", "<text"} {
		if strings.Contains(string(sprite), forbidden) {
			t.Errorf("the sprite contains %s", forbidden)
		}
	}
}

func TestTrueProportions(t *testing.T) {
	for code, want := range map[string]string{ // height : width as the countries lay down
		"BE": `width="46" height="40"`, "DK": `width="53" height="40"`, "HR": `width="80" height="40"`,
		"EE": `width="63" height="40"`, "FI": `width="65" height="40"`, "PL": `width="64" height="40"`,
		"AT": `width="60" height="40"`, "IS": `width="56" height="40"`, "NO": `width="55" height="40"`,
	} {
		if svg, _ := Standalone(code, 40); !strings.Contains(svg, want) {
			t.Errorf("%s: want %s in %.90s", code, want, svg)
		}
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
