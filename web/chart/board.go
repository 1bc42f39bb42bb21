package chart

import (
	"html/template"
	"strconv"
)

// Counts are the numbers of countries in levels 1 to 6; Counts[0] is level 1.
type Counts [6]int

// Sum is the number of countries with a level.
func (c Counts) Sum() (n int) {
	for _, k := range c {
		n += k
	}
	return n
}

// Meter is the stacked bar of the six levels, each as wide as its countries.
// A level without a country takes no room.
func Meter(w Words, c Counts) template.HTML {
	var d drawing
	d.figure(w, "meter-chart", 74)
	total, at := float64(max(c.Sum(), 1)), 0.0
	for i, n := range c {
		if n == 0 {
			continue
		}
		share := float64(n) / total
		d.open("g", "class", level(i+1))
		d.leaf("rect", "class", "bar", "x", percent(at, 0, 100), "y", 0, "width", percent(share, 0, 100), "height", 48, "stroke", "var(--surface)", "stroke-width", 2)
		middle := percent(at+share/2, 0, 100)
		d.text("text", strconv.Itoa(n), "class", "on", "x", middle, "y", 30, "text-anchor", "middle")
		d.text("text", strconv.Itoa(i+1), "x", middle, "y", 67, "text-anchor", "middle")
		d.close("g")
		at += share
	}
	return d.end()
}

// Column is one date of the board through time.
type Column struct {
	Label string // under the column; Note below it
	Note  string
	Href  string // where the column leads; empty for none
	Name  string // what the link says to those who do not see it
	Now   bool   // the date shown
	Counts
}

const columnHeight = 272.0

// Columns is the board through time: one stacked column a date, the highest
// level on top, all of one scale. A count is written where two or more
// countries stand.
func Columns(w Words, columns []Column) template.HTML {
	var d drawing
	d.figure(w, "columns-chart", int(columnHeight)+44)
	most := 1
	for _, c := range columns {
		most = max(most, c.Sum())
	}
	for i, c := range columns {
		slot := 1 / float64(len(columns))
		left, width := float64(i)*slot+slot*.05, slot*.9
		middle := percent(left+width/2, 0, 100)
		if c.Href != "" {
			d.open("a", "href", c.Href, "aria-label", c.Name)
		}
		class := "column"
		if c.Now {
			class = "column now"
		}
		d.open("g", "class", class)
		y := columnHeight - columnHeight*float64(c.Sum())/float64(most)
		top := y
		for l := 6; l >= 1; l-- {
			n := c.Counts[l-1]
			if n == 0 {
				continue
			}
			h := columnHeight * float64(n) / float64(most)
			d.open("g", "class", level(l))
			d.leaf("rect", "class", "bar", "x", percent(left, 0, 100), "y", y, "width", percent(width, 0, 100), "height", h-2)
			if n >= 2 {
				d.text("text", strconv.Itoa(n), "class", "on", "x", middle, "y", y+h/2+3, "text-anchor", "middle")
			}
			d.close("g")
			y += h
		}
		if c.Now {
			d.leaf("rect", "class", "frame", "x", percent(left, 0, 100), "y", top-1, "width", percent(width, 0, 100), "height", columnHeight-top, "rx", 3)
		}
		thin := "label"
		if len(columns) > 6 && !c.Now && (len(columns)-1-i)%3 != 0 {
			thin = "label thin" // a phone shows every third date
		}
		d.text("text", c.Label, "class", thin, "x", middle, "y", columnHeight+18, "text-anchor", "middle")
		d.text("text", c.Note, "class", thin, "x", middle, "y", columnHeight+36, "text-anchor", "middle")
		d.close("g")
		if c.Href != "" {
			d.close("a")
		}
	}
	return d.end()
}
