// Package opendata writes the public records of the Acceleratormeter in the
// forms that others read: CSV and JSON files, the DCAT-AP catalogue, Atom
// feeds, badges and oEmbed documents.
//
// It is pure: records in, bytes out, the same bytes for the same records. It
// knows no address of the network and no store; web serves what it writes.
package opendata

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
)

// Licence of everything that this package writes.
const Licence = "https://creativecommons.org/licenses/by/4.0/"

// Schema is the version of the JSON files. Later versions of the program add
// fields and change none.
const Schema = 1

// Type is what a column holds.
type Type string

const (
	Text    Type = "text"
	Integer Type = "integer"
	Date    Type = "date" // ISO 8601, a day
	Address Type = "address"
	Codes   Type = "codes" // codes with a space between them
)

// Column is a field of a file; the data page shows these rows as its dictionary.
type Column struct {
	Name string
	Type Type
	Desc string // English
}

// Table is one file in all its forms. A cell is a string, an int, or nil for
// "nothing known", which CSV writes empty and JSON as null. Every form is
// written from the same cells.
type Table struct {
	Name    string // "levels"; also the file name
	Source  string // address of the page behind the data
	Sample  bool   // invented data
	Columns []Column
	Rows    [][]any
}

// CSV is the table as RFC 4180 says: UTF-8, a header, lines that end in CRLF.
func (t *Table) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	line := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		line[i] = c.Name
	}
	w.Write(line)
	for _, row := range t.Rows {
		for i, cell := range row {
			line[i] = ""
			if cell != nil {
				line[i] = fmt.Sprint(cell)
			}
		}
		w.Write(line)
	}
	w.Flush()
	return b.Bytes()
}

// JSON is the table as one object: schema, name, licence, source, sample and
// records, each record with its fields in the order of the columns.
func (t *Table) JSON() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"schema\":%d,\"name\":%s,\"licence\":%s,\"source\":%s,\"sample\":%t,\"records\":[",
		Schema, quote(t.Name), quote(Licence), quote(t.Source), t.Sample)
	for i, row := range t.Rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n{")
		for k, cell := range row {
			if k > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(t.Columns[k].Name) + ":" + quote(cell))
		}
		b.WriteByte('}')
	}
	b.WriteString("\n]}\n")
	return b.Bytes()
}

func quote(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("opendata: a cell holds %T", v)) // a programming error: cells are string, int or nil
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
