package acceleratormeter

import "time"

// Event is a dated public fact as the events pages show it. It never carries a
// level.
type Event struct {
	Fact      string         `json:"fact"`         // id of the public_event fact
	ID        string         `json:"id,omitempty"` // page name, e.g. projectathon-5; empty for a legal date or a plain total
	Sort      EventSort      `json:"sort"`
	Title     string         `json:"title"`
	At        time.Time      `json:"at"`
	Ends      time.Time      `json:"ends,omitzero"`
	Place     string         `json:"place,omitempty"`
	Theme     string         `json:"theme,omitempty"`
	Source    string         `json:"source"`
	URL       string         `json:"url,omitempty"`
	Claim     bool           `json:"claim,omitempty"` // a single national source
	Totals    map[string]int `json:"totals,omitempty"`
	Countries []string       `json:"countries,omitempty"`
	Note      string         `json:"note,omitempty"`
	Sample    bool           `json:"sample,omitempty"`
}

// EventSort tells what a public fact is about.
type EventSort string

const (
	TestEvent EventSort = "event"  // a gathering with a page of its own
	Totals    EventSort = "totals" // published figures
	Notice    EventSort = "notice" // a legal date, a release, news
)

// Statistic is one published figure.
type Statistic struct {
	Fact   string    `json:"fact"`
	Key    string    `json:"key"`
	Value  int       `json:"value"`
	At     time.Time `json:"at"`
	Event  string    `json:"event,omitempty"`
	Title  string    `json:"title"`
	Source string    `json:"source"`
	Claim  bool      `json:"claim,omitempty"`
	Sample bool      `json:"sample,omitempty"`
}
