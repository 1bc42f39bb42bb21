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
