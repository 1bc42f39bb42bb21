package validator

import (
	"slices"
	"strings"
	"testing"
)

// defect1 is one spoiled specimen: exactly the rule, and what cannot but come
// with it, may be found.
type defect1 struct {
	rule  string
	base  string // short name of the specimen and line: "req 2.0"
	edits []edit1
	also  string // ids that come along, separated by blanks
}

// bases are the short names of the specimens.
var defectBases = map[string]string{
	"req": "request for a natural person", "org": "request for an organisation",
	"resp": "response with evidence", "rorg": "response about an organisation", "def": "deferred response",
	"prev": "preview required", "err": "error",
	"hreq": "header of a request", "hresp": "header of a response", "herr": "header of an error",
}

func d(rule, base string, edits ...edit1) defect1 {
	return defect1{rule: rule, base: base, edits: edits}
}

func (d defect1) with(also string) defect1 { d.also = also; return d }

// edit1 changes a message; ok is false when there is nothing to change.
type edit1 func(s string) (changed string, ok bool)

// swap replaces the first occurrence, swapAll every one.
func swap(old, new string) edit1 {
	return func(s string) (string, bool) { return strings.Replace(s, old, new, 1), strings.Contains(s, old) }
}

func swapAll(old, new string) edit1 {
	return func(s string) (string, bool) { return strings.ReplaceAll(s, old, new), strings.Contains(s, old) }
}

// within narrows an edit to the first piece between two marks, these included.
func within(from, to string, e edit1) edit1 {
	return func(s string) (string, bool) {
		i := strings.Index(s, from)
		if i < 0 {
			return s, false
		}
		j := strings.Index(s[i:], to)
		if j < 0 {
			return s, false
		}
		j += i + len(to)
		mid, ok := e(s[i:j])
		return s[:i] + mid + s[j:], ok
	}
}

// inside narrows an edit to a slot.
func inside(name string, e edit1) edit1 {
	return within(`<rim:Slot name="`+name+`">`, "</rim:Slot>\n", e)
}

// drop removes a piece, twice repeats it.
func drop(s string) (string, bool)  { return "", true }
func twice(s string) (string, bool) { return s + s, true }

func dropSlot(name string) edit1   { return inside(name, drop) }
func doubleSlot(name string) edit1 { return inside(name, twice) }

// dropTag removes the first element of that name.
func dropTag(name string) edit1 { return within("<"+name, "</"+name+">", drop) }

// setTag replaces the text of the first element of that name.
func setTag(name, text string) edit1 {
	return within("<"+name, "</"+name+">", func(s string) (string, bool) {
		i := strings.IndexByte(s, '>')
		return s[:i+1] + text + "</" + name + ">", true
	})
}

// before puts something before a mark, after behind it.
func before(mark, add string) edit1 { return swap(mark, add+mark) }
func after(mark, add string) edit1  { return swap(mark, mark+add) }

// rename gives elements of one name another.
func rename(old, new string) edit1 {
	return func(s string) (string, bool) {
		return strings.ReplaceAll(strings.ReplaceAll(s, "<"+old+">", "<"+new+">"), "</"+old+">", "</"+new+">"), strings.Contains(s, "<"+old+">")
	}
}

// unreachable are entries that no message can fail alone, and why.
var unreachable = map[string]string{
	"R-EDM-REQ-C044": "the schema of line 1.0 refuses the value first, and the rule is then not evaluated",
}

func specimenOf(t testing.TB, base string) Specimen {
	t.Helper()
	short, line, _ := strings.Cut(base, " ")
	for _, s := range Specimens() {
		if s.Name == defectBases[short] && s.Line == ParseLine(line) {
			return s
		}
	}
	t.Fatalf("no specimen %q", base)
	return Specimen{}
}

func (d defect1) spoil(t testing.TB) (string, Specimen) {
	t.Helper()
	s := specimenOf(t, d.base)
	text := s.XML
	for i, e := range d.edits {
		var ok bool
		if text, ok = e(text); !ok {
			t.Fatalf("edit %d has nothing to change", i+1)
		}
	}
	return text, s
}

func allDefects() []defect1 {
	return slices.Concat(requestDefects, requestContentDefects, personDefects, responseDefects, errorDefects, headerDefects)
}

// Each spoiled specimen fails on exactly its rule, and is refused exactly when
// the rule is certain and FATAL.
func TestRulesFailOnTheirDefect(t *testing.T) {
	v := New(Config{})
	for _, d := range allDefects() {
		t.Run(d.rule+" "+d.base, func(t *testing.T) {
			text, s := d.spoil(t)
			r := v.Validate([]byte(text), Options{Kind: s.Kind, Line: s.Line})
			want := append(strings.Fields(d.also), d.rule)
			slices.Sort(want)
			ids, advice := rulesOf(r)
			got := append(ids, advice...)
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
				for _, f := range r.Findings {
					t.Logf("%s line %d %s: found %s, expected %s", f.Rule, f.Line, f.Path, f.Found, f.Expected)
				}
			}
			for _, f := range r.Findings {
				if f.Line == 0 || f.Path == "" || f.Found == "" || f.Expected == "" || f.Mend == "" || f.Cites == "" {
					t.Errorf("an incomplete finding: %+v", f)
				}
			}
			if slices.Contains(r.Passed, d.rule) {
				t.Errorf("the rule is reported as passed")
			}
		})
	}
}

// Every entry of our tables has a specimen on which it passes and one on which
// it fails; entries of one id never overlap.
func TestEveryRuleHasItsDefect(t *testing.T) {
	v := New(Config{})
	passes := map[string]bool{}
	for _, s := range Specimens() {
		for _, id := range v.Validate([]byte(s.XML), Options{Kind: s.Kind, Line: s.Line}).Passed {
			passes[id+" "+s.Line.String()] = true
		}
	}
	fails := map[string]bool{}
	for _, d := range allDefects() {
		_, line, _ := strings.Cut(d.base, " ")
		fails[d.rule+" "+line] = true
	}
	for _, table := range edmTables() {
		for _, r := range table.Rules {
			lines := r.certain() | r.Advice
			some := func(m map[string]bool) bool {
				for _, l := range lines.Names() {
					if m[r.ID+" "+l] {
						return true
					}
				}
				return false
			}
			why, excused := unreachable[r.ID]
			if !some(fails) && !excused {
				t.Errorf("%s on %v: no message fails on it", r.ID, lines)
			}
			if some(fails) && excused {
				t.Errorf("%s fails after all, but is called unreachable: %s", r.ID, why)
			}
			if !some(passes) && !excused && !neverPasses[r.ID] {
				t.Errorf("%s on %v: no specimen passes it", r.ID, lines)
			}
		}
	}
}

// neverPasses are rules whose context no specimen has, because it would be a
// defect of its own or needs a code list that is not at hand.
var neverPasses = map[string]bool{
	"R-EDM-REQ-C016": true, "R-EDM-REQ-C046": true, "R-EDM-REQ-C057": true, "R-EDM-REQ-C068": true, "R-EDM-RESP-C009": true, "R-EDM-ERR-C006": true, // NUTS
	"R-EDM-REQ-C090":  true,                          // the element is refused where the rule looks
	"R-EDM-RESP-S026": true, "R-EDM-RESP-S030": true, // the 1.0 entries look where the schema has nothing
	"R-EDM-ERR-S022": true, // its 1.0 entry looks at a slot that S017 refuses
}

func edmTables() []Table {
	return []Table{requestSlots, requestContent, requestPersons, responseSlots, responsePackages, responseContent, errorRules, headerRules}
}

const lang = ` lang="EN"`

var requestDefects = []defect1{
	d("R-EDM-REQ-S001", "req 2.0", swapAll("query:QueryRequest", "query:QueryRequestX")),
	d("R-EDM-REQ-S002", "req 2.0", swap(nsQuery, "urn:other")),
	d("R-EDM-REQ-S003", "req 2.0", swap(` id="urn:uuid:`+specimenRequestID+`"`, "")).with("STR-06"),
	d("R-EDM-REQ-S004", "req 2.0", swap("urn:uuid:3b0c", "3b0c")),
	d("R-EDM-REQ-S004", "req 1.0", swap(`"3b0c`, `"urn:uuid:3b0c`)),
	d("R-EDM-REQ-S005", "req 2.0", dropSlot("SpecificationIdentifier")),
	d("R-EDM-REQ-S006", "req 2.0", doubleSlot("IssueDateTime")),
	d("R-EDM-REQ-S007", "req 2.0", dropSlot("Procedure")),
	d("R-EDM-REQ-S007", "req 1.0", dropSlot("Procedure")),
	d("R-EDM-REQ-S008", "req 1.2", doubleSlot("PreviewLocation")),
	d("R-EDM-REQ-S008", "req 1.0", dropSlot("PreviewLocation")),
	d("R-EDM-REQ-S009", "req 2.0", dropSlot("PossibilityForPreview")),
	d("R-EDM-REQ-S010", "req 2.0", dropSlot("ExplicitRequestGiven")),
	d("R-EDM-REQ-S011", "req 1.2", dropSlot("Requirements")),
	d("R-EDM-REQ-S011", "req 1.0", dropSlot("Requirements")),
	d("R-EDM-REQ-S012", "req 2.0", dropSlot("EvidenceRequester")),
	d("R-EDM-REQ-S013", "req 2.0", dropSlot("EvidenceProvider")),
	d("R-EDM-REQ-S014", "req 2.0", doubleSlot("EvidenceProviderClassification")),
	d("R-EDM-REQ-S014", "req 1.0", dropSlot("EvidenceProviderClassification")),
	d("R-EDM-REQ-S015", "req 2.0", dropSlot("EvidenceRequest")),
	d("R-EDM-REQ-S016", "req 2.0", dropSlot("NaturalPerson")),
	d("R-EDM-REQ-S018", "req 2.0", doubleSlot("AuthorizedRepresentative")),
	d("R-EDM-REQ-S019", "req 2.0", before("<query:ResponseOption", textSlot("Extra", "x"))),
	d("R-EDM-REQ-S019", "req 1.2", before("<query:ResponseOption", textSlot("ReturnLocation", "https://x.example"))),
	d("R-EDM-REQ-S020", "req 2.0", inside("SpecificationIdentifier", spoilType)),
	d("R-EDM-REQ-S021", "req 2.0", inside("IssueDateTime", spoilType)),
	d("R-EDM-REQ-S022", "req 2.0", inside("Procedure", spoilType)),
	d("R-EDM-REQ-S022", "req 1.2", inside("Procedure", spoilType)),
	d("R-EDM-REQ-S023", "req 2.0", inside("PreviewLocation", spoilType)),
	d("R-EDM-REQ-S024", "req 2.0", inside("PossibilityForPreview", spoilType)),
	d("R-EDM-REQ-S025", "req 2.0", inside("ExplicitRequestGiven", spoilType)),
	d("R-EDM-REQ-S026", "req 2.0", inside("Requirements", spoilType)),
	d("R-EDM-REQ-S027", "req 2.0", inside("Requirements", swap("rim:AnyValueType", "rim:OtherValueType"))),
	d("R-EDM-REQ-S028", "req 2.0", inside("EvidenceRequester", spoilType)),
	d("R-EDM-REQ-S029", "req 2.0", inside("EvidenceRequester", swap("rim:AnyValueType", "rim:OtherValueType"))),
	d("R-EDM-REQ-S030", "req 2.0", inside("EvidenceProvider", spoilType)),
	d("R-EDM-REQ-S031", "req 2.0", inside("EvidenceProviderClassification", spoilType)),
	d("R-EDM-REQ-S032", "req 2.0", inside("EvidenceProviderClassification", swap("rim:AnyValueType", "rim:OtherValueType"))),
	d("R-EDM-REQ-S033", "req 2.0", inside("EvidenceRequest", spoilType)),
	d("R-EDM-REQ-S034", "org 2.0", inside("LegalPerson", spoilType)),
	d("R-EDM-REQ-S035", "req 2.0", inside("NaturalPerson", spoilType)),
	d("R-EDM-REQ-S036", "req 2.0", inside("AuthorizedRepresentative", spoilType)),
	d("R-EDM-REQ-S037", "req 2.0", inside("Requirements", rename("sdg:Requirement", "sdg:Other"))),
	d("R-EDM-REQ-S038", "req 2.0", inside("Requirements", before("    </sdg:Requirement>", "<sdg:ReferenceFramework><sdg:Identifier>x</sdg:Identifier></sdg:ReferenceFramework>"))),
	d("R-EDM-REQ-S038", "req 1.0", inside("Requirements", dropTag("sdg:Name"))).with("STR-02"),
	d("R-EDM-REQ-S039", "req 2.0", inside("EvidenceRequester", rename("sdg:Agent", "sdg:Other"))).with("R-EDM-REQ-C074"),
	d("R-EDM-REQ-S040", "req 2.0", inside("EvidenceRequester", before("      <sdg:Classification>ER", "<sdg:Jurisdiction><sdg:AdminUnitLevel1>NL</sdg:AdminUnitLevel1></sdg:Jurisdiction>"))),
	d("R-EDM-REQ-S040", "req 1.0", inside("EvidenceRequester", dropTag("sdg:Address"))),
	d("R-EDM-REQ-S041", "req 2.0", inside("EvidenceProviderClassification", rename("sdg:EvidenceProviderClassification", "sdg:Other"))),
	d("R-EDM-REQ-S042", "req 2.0", inside("EvidenceProvider", rename("sdg:Agent", "sdg:Other"))),
	d("R-EDM-REQ-S043", "req 2.0", inside("EvidenceProvider", before("    </sdg:Agent>", "<sdg:Classification>EP</sdg:Classification>"))),
	d("R-EDM-REQ-S043", "req 1.0", inside("EvidenceProvider", dropTag("sdg:Name"))).with("STR-02"),
	d("R-EDM-REQ-S044", "req 2.0", inside("EvidenceRequest", rename("sdg:DataServiceEvidenceType", "sdg:Other"))),
	d("R-EDM-REQ-S045", "req 2.0", inside("EvidenceRequest", before("    </sdg:DataServiceEvidenceType>", "<sdg:AuthenticationLevelOfAssurance>High</sdg:AuthenticationLevelOfAssurance>"))),
	d("R-EDM-REQ-S046", "req 2.0", inside("NaturalPerson", rename("sdg:Person", "sdg:Other"))),
	d("R-EDM-REQ-S047", "org 2.0", inside("LegalPerson", rename("sdg:LegalPerson", "sdg:Other"))),
	d("R-EDM-REQ-S048", "req 2.0", inside("AuthorizedRepresentative", rename("sdg:Person", "sdg:Other"))),
	d("R-EDM-REQ-S049", "req 2.0", before("</query:Query>", textSlot("Extra", "x"))),
	d("R-EDM-REQ-S050", "req 2.0", inside("Procedure", after("</rim:SlotValue>", `<rim:SlotValue xsi:type="rim:StringValueType"><rim:Value>T2</rim:Value></rim:SlotValue>`))),
	d("R-EDM-REQ-S051", "req 2.0", inside("PossibilityForPreview", dropTag("rim:Value"))),
	d("R-EDM-REQ-S052", "req 2.0", inside("EvidenceProviderClassification", dropTag("rim:Element"))).with("R-EDM-REQ-S051"),
	d("R-EDM-REQ-S053", "req 2.0", inside("EvidenceProviderClassification", swap(collectionSet, "urn:oasis:names:tc:ebxml-regrep:CollectionType:Bag"))),
	d("R-EDM-REQ-S055", "req 2.0", inside("AuthorizedRepresentativeLegalPerson", spoilType)),
	d("R-EDM-REQ-S056", "req 2.0", inside("AuthorizedRepresentativeLegalPerson", rename("sdg:LegalPerson", "sdg:Other"))),
	d("R-EDM-REQ-S059", "req 2.0", swap("<query:QueryRequest", `<query:QueryRequest xml:lang="EN"`)),
	d("R-EDM-REQ-S060", "req 2.0", doubleSlot("ReturnLocation")),
	d("R-EDM-REQ-S061", "req 2.0", inside("ReturnLocation", spoilType)),
	d("R-EDM-REQ-S062", "req 2.0", dropSlot("ReturnLocation")),
}

// spoilType gives a slot value a type that nobody knows.
func spoilType(s string) (string, bool) {
	i := strings.Index(s, `xsi:type="`) + len(`xsi:type="`)
	j := i + strings.IndexByte(s[i:], '"')
	return s[:i] + "rim:OtherValueType" + s[j:], true
}
