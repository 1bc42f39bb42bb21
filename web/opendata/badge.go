package opendata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"unicode/utf8"
)

// Light and Dark are the colours of levels 1 to 6 in the two themes, and of
// "not assessed" at index 0.
var (
	Light = [7]string{"4A5662", "976443", "616C1A", "486237", "005D56", "004477", "232D55"}
	Dark  = [7]string{"A9B4BF", "AF9067", "8EA849", "7EBA98", "45CDC2", "A3CDFE", "E8DDFE"}
)

// Badge is a country's level in one line.
type Badge struct {
	Label   string // "Greece"
	Message string // "level 4, technically ready"
	Title   string // the whole sentence with its date, for those who hear it
	Level   int    // 0: not assessed
}

// Shields is the badge in the endpoint form of shields.io, schema version 1.
func (b Badge) Shields() []byte {
	out, err := json.Marshal(struct {
		SchemaVersion int    `json:"schemaVersion"`
		Label         string `json:"label"`
		Message       string `json:"message"`
		Color         string `json:"color"`
	}{1, b.Label, b.Message, Light[b.Level]})
	if err != nil {
		panic("opendata: a badge of strings did not encode: " + err.Error())
	}
	return append(out, '\n')
}

// SVG is the badge as a picture of text, in the reader's theme. textLength keeps
// the letters inside whatever font the reader has.
func (b Badge) SVG() []byte {
	left, right := width(b.Label), width(b.Message)
	total := left + right
	var w bytes.Buffer
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="24" viewBox="0 0 %d 24" role="img" aria-labelledby="t"><title id="t">%s</title>`,
		total, total, html.EscapeString(b.Title))
	fmt.Fprintf(&w, `<style>.a{fill:#16202B}.b{fill:#FFF}.c{fill:#%s}.d{fill:#FFF}@media(prefers-color-scheme:dark){.a{fill:#2C3845}.b{fill:#ECEFF2}.c{fill:#%s}.d{fill:#10161D}}text{font:600 12px Inter,system-ui,"Segoe UI","Noto Sans",sans-serif}</style>`,
		Light[b.Level], Dark[b.Level])
	fmt.Fprintf(&w, `<path class="a" d="M4 0h%dv24H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z"/><path class="c" d="M%d 0h%da4 4 0 0 1 4 4v16a4 4 0 0 1-4 4h-%dz"/>`,
		left-4, left, right-4, right-4)
	fmt.Fprintf(&w, `<text class="b" x="9" y="16" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text><text class="d" x="%d" y="16" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text></svg>`,
		left-18, html.EscapeString(b.Label), left+9, right-18, html.EscapeString(b.Message))
	w.WriteByte('\n')
	return w.Bytes()
}

// width estimates the room of a text at 12 px, with 9 px at either side.
func width(s string) int {
	w := 0.0
	for _, r := range s {
		switch r {
		case 'i', 'l', 'j', 't', 'f', 'I', '.', ',', ' ', '·', '\'', ':':
			w += 3.9
		case 'm', 'w', 'M', 'W':
			w += 10.5
		default:
			w += 7
			if r >= 'A' && r <= 'Z' {
				w += 1.2
			}
		}
	}
	return int(w+.5) + 18 + utf8.RuneCountInString(s)/30
}
