package opendata

import (
	"bytes"
	"encoding/xml"
	"time"
)

// Feed is an Atom feed (RFC 4287).
type Feed struct {
	ID      string // never changes, whatever the address
	Title   string
	Lang    string // BCP 47
	Self    string // address of the feed
	Page    string // address of the page for people
	Author  string
	Updated time.Time // zero: that of the newest entry
	Entries []FeedEntry
}

// FeedEntry is one move or one piece of news.
type FeedEntry struct {
	ID      string
	Title   string
	Link    string
	At      time.Time
	Summary string
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Updated   string   `xml:"updated"`
	Published string   `xml:"published"`
	Link      atomLink `xml:"link"`
	Summary   string   `xml:"summary"`
}

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"xml:lang,attr"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Rights  string      `xml:"rights"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

// Atom is the feed as a document.
func (f *Feed) Atom() []byte {
	updated := f.Updated
	out := atomFeed{Lang: f.Lang, ID: f.ID, Title: f.Title, Author: f.Author, Rights: "CC BY 4.0", Links: []atomLink{
		{"self", "application/atom+xml", f.Self}, {"alternate", "text/html", f.Page}}}
	for _, e := range f.Entries {
		if e.At.After(updated) {
			updated = e.At
		}
		at := e.At.UTC().Format(time.RFC3339)
		out.Entries = append(out.Entries, atomEntry{e.ID, e.Title, at, at, atomLink{"alternate", "text/html", e.Link}, e.Summary})
	}
	out.Updated = updated.UTC().Format(time.RFC3339)
	var b bytes.Buffer
	b.WriteString(xml.Header)
	w := xml.NewEncoder(&b)
	w.Indent("", " ")
	if err := w.Encode(out); err != nil {
		panic("opendata: a feed of strings did not encode: " + err.Error())
	}
	b.WriteByte('\n')
	return b.Bytes()
}
