package official

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/codelist"
)

// readLists reads the genericode files of the folder. One that cannot be read
// is a problem with its place and reason.
func readLists(files folder) (lists []*codelist.List, problems []Problem) {
	for _, name := range files.names(".gc") {
		l, err := codelist.ReadGenericode(files[name])
		if err != nil {
			p := Problem{File: name, Construct: "genericode", Text: strings.TrimPrefix(err.Error(), "genericode: ")}
			var at *codelist.Error
			if errors.As(err, &at) && at.Cause == nil {
				p.Line, p.Text = at.Line, at.Text
			}
			problems = append(problems, p)
			continue
		}
		lists = append(lists, l)
	}
	return lists, problems
}

// Lists are the code lists of the folder, in the order of their files.
func (s *Set) Lists() []*codelist.List { return s.lists }

// ListDifference is a code list of the folder that has other codes than ours.
type ListDifference struct {
	Name           string
	Edition        string   // of the folder's list
	Missing, Extra []string // codes that ours lacks, and that only ours has
}

func (d ListDifference) String() string {
	return fmt.Sprintf("code list %s, edition %s: %s only in the official file, %s only in ours", d.Name, d.Edition, someCodes(d.Missing), someCodes(d.Extra))
}

func someCodes(codes []string) string {
	const most = 10
	switch n := len(codes); {
	case n == 0:
		return "nothing"
	case n > most:
		return fmt.Sprintf("%s and %d more", strings.Join(codes[:most], " "), n-most)
	}
	return strings.Join(codes, " ")
}

// CompareLists lays the lists of the folder beside ours. A list that ours does
// not hold, such as NUTS, is no difference.
func (s *Set) CompareLists(ours *codelist.Set) []ListDifference {
	var out []ListDifference
	for _, theirs := range s.lists {
		mine := ours.List(theirs.Name)
		if mine == nil {
			continue
		}
		d := ListDifference{Name: theirs.Name, Edition: theirs.Edition}
		d.Missing = slices.DeleteFunc(slices.Clone(theirs.Codes()), mine.Contains)
		d.Extra = slices.DeleteFunc(slices.Clone(mine.Codes()), theirs.Contains)
		if len(d.Missing)+len(d.Extra) > 0 {
			out = append(out, d)
		}
	}
	return out
}
