package chart

import (
	"html/template"
	"strconv"
	"time"
)

// Step is a level that holds from an instant to the next step. Level 0 is "not
// assessed" and leaves a gap.
type Step struct {
	At    time.Time
	Level int
}

// Mark is an event on a journey, drawn at the foot of the chart.
type Mark struct {
	At    time.Time
	Label string
}

// Tick is a date written under the x axis.
type Tick struct {
	At    time.Time
	Label string
}

// Span is the time that a chart shows.
type Span struct{ From, To time.Time }

// share is where an instant lies in the span, 0 to 1.
func (s Span) share(t time.Time) float64 {
	whole := s.To.Sub(s.From)
	if whole <= 0 || t.Before(s.From) {
		return 0
	}
	return min(float64(t.Sub(s.From))/float64(whole), 1)
}

// Spark is the small step line of a country's card: 120 × 46, stretched to its
// box, without words, because the card says them. The dotted line is level 4.
// The steps are in order of time. The card's class l1 to l6 gives the colour.
func Spark(span Span, steps []Step) template.HTML {
	const bottom, rise = 44.0, 8.0
	var area, line drawing
	drawn := false // a line is begun and not ended
	for i, s := range steps {
		x := span.share(s.At) * 120
		end := 120.0
		if i+1 < len(steps) {
			end = span.share(steps[i+1].At) * 120
		}
		if s.Level == 0 {
			if drawn {
				area.WriteString("V46z")
			}
			drawn = false
			continue
		}
		y := number(bottom - rise*float64(s.Level-1))
		if drawn {
			area.WriteString("V" + y)
			line.WriteString("V" + y)
		} else {
			area.WriteString("M" + number(x) + " 46V" + y)
			line.WriteString("M" + number(x) + " " + y)
		}
		drawn = true
		area.WriteString("H" + number(end))
		line.WriteString("H" + number(end))
	}
	if drawn {
		area.WriteString("V46z")
	}
	var d drawing
	d.open("svg", "class", "sp", "viewBox", "0 0 120 46", "preserveAspectRatio", "none", "aria-hidden", "true", "focusable", "false")
	d.leaf("path", "class", "g", "d", "M0 20H120")
	if area.Len() > 0 {
		d.leaf("path", "class", "a", "d", area.String())
		d.leaf("path", "class", "p", "d", line.String())
	}
	return d.end()
}

// Journey is the large step chart of one country: a step in its level's colour,
// a dot at each move (hollow where the country stepped back), a dash for time
// without assessment, a mark at the foot for each event. levels are the names
// of levels 1 to 6. The steps are in order of time.
func Journey(w Words, span Span, steps []Step, marks []Mark, ticks []Tick, levels [6]string) template.HTML {
	const top, rise, foot, left, right = 14.0, 34.0, 228.0, 6.0, 99.0
	height := func(l int) float64 { return top + rise*float64(6-l) }
	at := func(t time.Time) string { return percent(span.share(t), left, right) }
	var d drawing
	d.figure(w, "journey-chart", 262)
	for l := 1; l <= 6; l++ {
		class := "grid"
		if l == 4 {
			class = "ready"
		}
		d.leaf("line", "class", class, "x1", number(left)+"%", "x2", number(right)+"%", "y1", height(l), "y2", height(l))
		d.text("text", strconv.Itoa(l), "class", "strong", "x", "2%", "y", height(l)+4)
		d.text("text", levels[l-1], "class", "thin", "x", number(left)+"%", "dx", 4, "y", height(l)-5)
	}
	before := 0
	for i, s := range steps {
		end := span.To
		if i+1 < len(steps) {
			end = steps[i+1].At
		}
		if s.Level == 0 {
			d.leaf("line", "class", "gap", "x1", at(s.At), "x2", at(end), "y1", foot-14, "y2", foot-14)
			before = 0
			continue
		}
		y := height(s.Level)
		if before != 0 && before != s.Level {
			d.leaf("line", "class", "rise", "x1", at(s.At), "x2", at(s.At), "y1", height(before), "y2", y)
		}
		d.open("g", "class", level(s.Level))
		width := percent(span.share(end)-span.share(s.At), 0, right-left)
		d.leaf("rect", "class", "area", "x", at(s.At), "y", y, "width", width, "height", foot-14-y)
		d.leaf("line", "class", "step", "x1", at(s.At), "x2", at(end), "y1", y, "y2", y)
		if before != s.Level {
			class := "dot"
			if s.Level < before {
				class = "dot back"
			}
			d.leaf("circle", "class", class, "cx", at(s.At), "cy", y, "r", 5)
		}
		d.close("g")
		before = s.Level
	}
	d.leaf("line", "class", "axis", "x1", number(left)+"%", "x2", number(right)+"%", "y1", foot-14, "y2", foot-14)
	for _, m := range marks {
		d.open("g", "class", "event")
		d.text("title", m.Label)
		d.leaf("circle", "cx", at(m.At), "cy", foot-14, "r", 3.5)
		d.close("g")
	}
	for i, t := range ticks {
		class := "label"
		if len(ticks) > 4 && (len(ticks)-1-i)%2 != 0 {
			class = "label thin"
		}
		anchor := "middle"
		if span.share(t.At) > .95 {
			anchor = "end"
		}
		d.text("text", t.Label, "class", class, "x", at(t.At), "y", foot+14, "text-anchor", anchor)
	}
	return d.end()
}
