// Package flag holds the 30 flags of the board as one SVG sprite of our own
// drawing: 27 Member States with Iceland, Liechtenstein and Norway.
//
// A symbol's id is "f-" and the OOTS country code in lower case (f-el, not
// f-gr). Its viewBox has the flag's true proportions; in a box of another shape
// (24 × 16 px on chips) the flag fills the box. Arms are simplified so that they
// stay readable there.
package flag

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
)

//go:embed flags.svg
var sprite []byte

// Sprite is the SVG document with all symbols, for <use href="…#f-at">.
func Sprite() []byte { return bytes.Clone(sprite) }

// Standalone is one flag as an SVG document of the given height in pixels, in
// its true proportions; ok is false for a code that has no flag here. The code
// may be in upper or lower case.
func Standalone(code string, height int) (svg string, ok bool) {
	w, h, drawing, ok := cut(code)
	if !ok {
		return "", false
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">%s</svg>`,
		(height*w+h/2)/h, height, w, h, drawing), true
}

// Inside is one flag to be placed in another SVG drawing: it fills the box.
func Inside(code string, x, y, width, height float64) (svg string, ok bool) {
	w, h, drawing, ok := cut(code)
	if !ok {
		return "", false
	}
	return fmt.Sprintf(`<svg x="%g" y="%g" width="%g" height="%g" viewBox="0 0 %d %d" preserveAspectRatio="none">%s</svg>`,
		x, y, width, height, w, h, drawing), true
}

// cut takes one symbol out of the sprite: its true width and height, and what
// is drawn in it. The sprite keeps one symbol per line.
func cut(code string) (w, h int, drawing string, ok bool) {
	head := `<symbol id="f-` + strings.ToLower(code) + `" `
	for line := range strings.Lines(string(sprite)) {
		rest, found := strings.CutPrefix(line, head)
		if !found {
			continue
		}
		attrs, drawing, _ := strings.Cut(rest, ">")
		if _, err := fmt.Sscanf(attrs, `viewBox="0 0 %d %d"`, &w, &h); err != nil {
			return 0, 0, "", false
		}
		return w, h, strings.TrimSuffix(strings.TrimSpace(drawing), "</symbol>"), true
	}
	return 0, 0, "", false
}
