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
)

//go:embed flags.svg
var sprite []byte

// Sprite is the SVG document with all symbols, for <use href="…#f-at">.
func Sprite() []byte { return bytes.Clone(sprite) }
