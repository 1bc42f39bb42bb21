package lcm

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	cs "github.com/once-only/oots/commonservices"
)

// CSV writes a table of a part: a header of the column names, then one row a
// line. A cell that a spreadsheet would compute begins with an apostrophe.
func (t *Table) CSV(c *cs.Contribution) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var header []string
	for _, col := range t.Columns {
		header = append(header, col.Name)
	}
	if err := w.Write(header); err != nil {
		return nil, err
	}
	for _, key := range t.Keys(c) {
		row := t.Row(c, key)
		var cells []string
		for _, col := range t.Columns {
			cells = append(cells, harmless(row[col.Name]))
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// harmless keeps spreadsheets from taking a text for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r'", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Bounds of a file of rows.
const (
	mostCSV  = 16 << 20
	mostRows = 50_000
)

// ReplaceCSV is the part with one table replaced by a file. Columns may stand
// in any order; a missing one keeps its values. The faults name the line.
func (t *Table) ReplaceCSV(c *cs.Contribution, raw []byte) (*cs.Contribution, []Fault) {
	bad := func(line int, format string, args ...any) []Fault {
		return []Fault{{Code: BadSubmission, Rule: RuleReadable, Line: line, Text: fmt.Sprintf(format, args...)}}
	}
	if len(raw) > mostCSV {
		return nil, bad(0, "the file is larger than %d MiB", mostCSV>>20)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	header, err := r.Read()
	if err != nil {
		return nil, bad(1, "the file has no header; its first line names the columns")
	}
	for _, name := range header {
		if !slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == name }) {
			return nil, bad(1, "the column %q does not exist; the columns are %s", shorten(name), t.names())
		}
	}
	var rows []Row
	var at []int
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var torn *csv.ParseError
		if errors.As(err, &torn) {
			return nil, bad(torn.StartLine, "the line cannot be read as CSV: %s", torn.Err)
		}
		if err != nil {
			return nil, bad(0, "the file cannot be read as CSV: %s", err)
		}
		line, _ := r.FieldPos(0)
		if len(rows) >= mostRows {
			return nil, bad(line, "the file has more than %d rows", mostRows)
		}
		row := Row{}
		for i, name := range header {
			cell := strings.ReplaceAll(cells[i], "\r\n", "\n")
			if rest, ok := strings.CutPrefix(cell, "'"); ok && harmless(rest) != rest {
				cell = rest
			}
			row[name] = cell
		}
		rows, at = append(rows, row), append(at, line)
	}
	next := clone(c)
	var out []Fault
	for i, err := range t.replace(next, rows) {
		if err != nil && len(out) < mostFaults {
			out = append(out, Fault{Code: BadObject, Rule: RuleReadable, Line: at[i], Text: err.Error()})
		}
	}
	return next, out
}

func (t *Table) names() string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return strings.Join(out, ", ")
}
