// Package social draws the picture that other sites show when somebody shares
// an address: 1200 × 630 pixels, a headline and the six levels.
//
// The letters are those of the Go fonts (Latin, Greek, Cyrillic), so that the
// picture needs neither a browser nor a font of the machine.
package social

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Width and Height are the size of the picture.
const (
	Width  = 1200
	Height = 630
)

// Card is what the picture says.
type Card struct {
	Brand    string
	Headline string    // shortened when it does not fit
	Counts   [6]int    // countries in levels 1 to 6; all zero: no bar
	Levels   [6]string // "Level 1" …, left out where a bar is too narrow
	Left     string    // position date
	Right    string    // who runs the site
}

var (
	paper = rgb(0xFAF9F5)
	ink   = rgb(0x16202B)
	quiet = rgb(0x4A5662)
	white = rgb(0xFFFFFF)
	ramp  = [6]color.RGBA{rgb(0x976443), rgb(0x616C1A), rgb(0x486237), rgb(0x005D56), rgb(0x004477), rgb(0x232D55)}
)

var fonts = sync.OnceValues(func() ([2]*opentype.Font, error) {
	regular, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return [2]*opentype.Font{}, fmt.Errorf("social: Go font: %w", err)
	}
	bold, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return [2]*opentype.Font{}, fmt.Errorf("social: Go font: %w", err)
	}
	return [2]*opentype.Font{regular, bold}, nil
})

const margin = 64

// PNG draws the card.
func (c Card) PNG() ([]byte, error) {
	both, err := fonts()
	if err != nil {
		return nil, err
	}
	s := &sheet{img: image.NewRGBA(image.Rect(0, 0, Width, Height)), regular: both[0], bold: both[1]}
	draw.Draw(s.img, s.img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	for i := range 6 {
		h := float32(6*i + 9)
		s.box(margin+float32(i)*8.4, 97-h, 6.4, h, 2, ramp[i])
	}
	s.text(s.bold, 28, margin+62, 92, ink, c.Brand)

	size, lines := 76.0, s.wrap(76, c.Headline, 1000)
	if len(lines) > 3 {
		size = 54
		lines = s.wrap(54, c.Headline, Width-2*margin)
	}
	if len(lines) > 4 {
		lines = append(lines[:3], lines[3]+" …")
	}
	y := 188.0
	for _, line := range lines {
		s.text(s.bold, size, margin, int(y), ink, line)
		y += size * 1.1
	}

	total := 0
	for _, n := range c.Counts {
		total += n
	}
	if total > 0 {
		const gap, narrowest = 6, 34.0
		var wide [6]float64
		room, shown := float64(Width-2*margin), 0
		for _, n := range c.Counts {
			if n > 0 {
				shown++
			}
		}
		room -= float64(gap*(shown-1)) + narrowest*float64(shown)
		for i, n := range c.Counts {
			if n > 0 {
				wide[i] = narrowest + room*float64(n)/float64(total)
			}
		}
		x := float64(margin)
		for i, n := range c.Counts {
			if n == 0 {
				continue
			}
			s.box(float32(x), 432, float32(wide[i]), 112, 8, ramp[i])
			number := strconv.Itoa(n)
			inset := min(16, (wide[i]-float64(s.measure(s.bold, 38, number)))/2)
			s.text(s.bold, 38, int(x+inset), 478, white, number)
			if float64(s.measure(s.regular, 19, c.Levels[i]))+32 < wide[i] {
				s.text(s.regular, 19, int(x+16), 526, white, c.Levels[i])
			}
			x += wide[i] + gap
		}
	}
	s.text(s.regular, 22, margin, 588, quiet, c.Left)
	s.text(s.regular, 22, Width-margin-s.measure(s.regular, 22, c.Right), 588, quiet, c.Right)
	if s.err != nil {
		return nil, s.err
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, s.img); err != nil {
		return nil, fmt.Errorf("social: %w", err)
	}
	return b.Bytes(), nil
}

// sheet is the picture being drawn; the first error stays.
type sheet struct {
	img           *image.RGBA
	regular, bold *opentype.Font
	faces         map[faceKey]font.Face
	err           error
}

type faceKey struct {
	font *opentype.Font
	size float64
}

func (s *sheet) face(f *opentype.Font, size float64) font.Face {
	key := faceKey{f, size}
	if s.faces[key] == nil {
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			s.err = fmt.Errorf("social: Go font at %g px: %w", size, err)
		}
		if s.faces == nil {
			s.faces = map[faceKey]font.Face{}
		}
		s.faces[key] = face
	}
	return s.faces[key]
}

func (s *sheet) measure(f *opentype.Font, size float64, text string) int {
	return font.MeasureString(s.face(f, size), text).Ceil()
}

func (s *sheet) text(f *opentype.Font, size float64, x, baseline int, c color.Color, text string) {
	d := font.Drawer{Dst: s.img, Src: image.NewUniform(c), Face: s.face(f, size), Dot: fixed.P(x, baseline)}
	d.DrawString(text)
}

// wrap breaks the headline into lines of at most width pixels, between words.
func (s *sheet) wrap(size float64, text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && s.measure(s.bold, size, longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// box is a filled rectangle with round corners. It rasterises its own size only.
func (s *sheet) box(x, y, w, h, r float32, c color.Color) {
	const k = 0.44771525 // 1 minus the control point's share of a quarter circle
	left, top := int(x), int(y)
	area := image.Rect(left, top, int(x+w)+1, int(y+h)+1)
	x, y = x-float32(left), y-float32(top)
	v := vector.NewRasterizer(area.Dx(), area.Dy())
	v.MoveTo(x+r, y)
	v.LineTo(x+w-r, y)
	v.CubeTo(x+w-r*k, y, x+w, y+r*k, x+w, y+r)
	v.LineTo(x+w, y+h-r)
	v.CubeTo(x+w, y+h-r*k, x+w-r*k, y+h, x+w-r, y+h)
	v.LineTo(x+r, y+h)
	v.CubeTo(x+r*k, y+h, x, y+h-r*k, x, y+h-r)
	v.LineTo(x, y+r)
	v.CubeTo(x, y+r*k, x+r*k, y, x+r, y)
	v.ClosePath()
	v.Draw(s.img, area, image.NewUniform(c), image.Point{})
}

func rgb(v uint32) color.RGBA {
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xFF}
}
