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
	}
	if n := strings.Count(string(sprite), "<symbol "); n != 30 {
		t.Errorf("the sprite has %d symbols, want 30: no GR, no EU", n)
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
	for code, want := range map[string]string{ // width and height as the countries lay down
		"be": "15 13", "dk": "37 28", "hr": "60 30", "ee": "33 21", "fi": "18 11", "pl": "8 5", "at": "9 6", "is": "25 18", "no": "22 16",
		"de": "5 3", "el": "27 18", "hu": "6 3", "ie": "6 3", "lv": "10 5", "se": "16 10", "li": "50 30",
	} {
		if !strings.Contains(string(sprite), `<symbol id="f-`+code+`" viewBox="0 0 `+want+`" preserveAspectRatio="none">`) {
			t.Errorf("%s is not drawn %s", code, want)
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
