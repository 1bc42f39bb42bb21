package chart

import (
	"html/template"
	"strconv"
	"time"
)

// Day is the state of an event at one instant: how many pair tests were
// planned, run and verified until then.
type Day struct {
	At                     time.Time
	Planned, Run, Verified int
}

// BurnUpWords are the words at the ends of the three lines and at the line of
// today.
type BurnUpWords struct{ Planned, Run, Verified, Today string }

// BurnUp is the progress of a test event: three lines with their names and
// last numbers at the right end, and a line for now. Days are in order of time.
func BurnUp(w Words, span Span, now time.Time, days []Day, names BurnUpWords, ticks []Tick) template.HTML {
	const top, foot, left, right = 18.0, 210.0, 10.0, 62.0
	var d drawing
	d.figure(w, "burnup-chart", 240)
	most := 1
	for _, day := range days {
		most = max(most, day.Planned, day.Run, day.Verified)
	}
	at := func(t time.Time) string { return percent(span.share(t), left, right) }
	y := func(n int) float64 { return foot - (foot-top)*float64(n)/float64(most) }
	for i := range 3 {
		n := most * i / 2
		d.leaf("line", "class", "grid", "x1", number(left)+"%", "x2", number(right)+"%", "y1", y(n), "y2", y(n))
		d.text("text", strconv.Itoa(n), "x", number(left)+"%", "dx", -6, "y", y(n)+4, "text-anchor", "end")
	}
	if !now.Before(span.From) && !now.After(span.To) {
		d.leaf("line", "class", "today", "x1", at(now), "x2", at(now), "y1", top-6, "y2", foot)
		d.text("text", names.Today, "x", at(now), "y", top-8, "text-anchor", "middle")
	}
	lines := []struct {
		class, name string
		of          func(Day) int
	}{
		{"planned", names.Planned, func(d Day) int { return d.Planned }},
		{"run", names.Run, func(d Day) int { return d.Run }},
		{"verified", names.Verified, func(d Day) int { return d.Verified }},
	}
	label := top - 14
	for _, l := range lines {
		for i := 1; i < len(days); i++ {
			a, b := days[i-1], days[i]
			d.leaf("line", "class", l.class, "x1", at(a.At), "y1", y(l.of(a)), "x2", at(b.At), "y2", y(l.of(b)))
		}
		if len(days) == 0 {
			continue
		}
		last := l.of(days[len(days)-1])
		label = max(y(last)+4, label+16) // names never lie on each other
		d.text("text", l.name+" "+strconv.Itoa(last), "class", "strong", "x", number(right)+"%", "dx", 8, "y", label)
	}
	for _, t := range ticks {
		d.text("text", t.Label, "class", "label", "x", at(t.At), "y", foot+22, "text-anchor", "middle")
	}
	return d.end()
}
