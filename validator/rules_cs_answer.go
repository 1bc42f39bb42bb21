package validator

import (
	"strings"

	"github.com/once-only/oots/codelist"
)

// The answers of the Evidence Broker (TDD 3.2.4) and of the Data Service
// Directory (TDD 3.1.4), and their errors.

// csTables are the rules of the Common Services.
func csTables() []Table {
	return []Table{
		{Name: "Evidence Broker, requirements of a procedure", On: EBRequirements, Cites: "TDD 3.2.4", Rules: ebRequirementRules()},
		{Name: "Evidence Broker, evidence types for a requirement", On: EBEvidenceTypes, Cites: "TDD 3.2.4", Rules: ebEvidenceTypeRules()},
		{Name: "Evidence Broker, errors", On: EBError, Cites: "TDD 3.2.4", Rules: ebErrorRules()},
		{Name: "Data Service Directory, data services", On: DSDResponse, Cites: "TDD 3.1.4", Rules: dsdResponseRules()},
		{Name: "Data Service Directory, errors and questions", On: DSDError, Cites: "TDD 3.1.4", Rules: dsdErrorRules()},
		{Name: "Answers of directories", On: CommonServices, Cites: "TDD 3.6.2", Rules: answerRules()},
		{Name: "Submissions to the Evidence Broker", On: EBSubmission, Cites: "TDD 3.6.3", Rules: ebSubmissionRules()},
		{Name: "Submissions to the Data Service Directory", On: DSDSubmission, Cites: "TDD 3.6.3", Rules: dsdSubmissionRules()},
		{Name: "Submissions", On: EBSubmission | DSDSubmission, Cites: "TDD 3.6.3", Rules: submissionRules()},
		{Name: "Answers to accepted submissions", On: LCMSuccess, Cites: "TDD 3.6.3", Rules: lcmSuccessRules()},
		{Name: "Answers to refused submissions", On: LCMError, Cites: "TDD 3.6.3", Rules: lcmErrorRules()},
	}
}

// rootRules are the first two rows of every message.
func rootRules(name, namespace, local, space string) []Rule {
	return since2023(
		Rule{ID: name, At: "*", Check: Local(local)},
		Rule{ID: namespace, At: "*", Check: In(space)},
	)
}

// successRules are the rows of a status that must be Success, in the numbering
// of the three answers.
func successRules(prefix string) []Rule {
	return join(
		rootRules(prefix+"S001", prefix+"S002", "QueryResponse", nsQuery),
		since2023(
			Rule{ID: prefix + "S005", At: queryResponse, Check: HasAttr("status")},
			Rule{ID: prefix + "S006", At: queryResponse, Check: Must("status", Is(statusSuccess))},
			Rule{ID: prefix + "S007", At: queryResponse, Check: When(hasStatus(statusSuccess), Exactly(1, "rim:RegistryObjectList"))},
			Rule{ID: prefix + "S008", At: queryResponse, Check: When(hasStatus(statusSuccess), None("rs:Exception"))},
		),
	)
}

func join(groups ...[]Rule) []Rule {
	var out []Rule
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

// answerRules are checks of our own on any answer.
func answerRules() []Rule {
	return []Rule{
		{ID: "X-CS-SPEC-01", At: queryResponse, Lines: V20, Check: OneSlot("SpecificationIdentifier")},
		{ID: "X-CS-SPEC-01", At: slotValue(queryResponse, "SpecificationIdentifier"), Lines: V20, Check: ValueType("StringValueType")},
		{ID: "X-CS-SPEC-01", At: slotValue(queryResponse, "SpecificationIdentifier") + "/rim:Value", Lines: V20, Check: Norm(TheLine("oots-cs"))},
		{ID: "X-CS-EMPTY-01", On: EBRequirements | EBEvidenceTypes | DSDResponse, At: answerList, Lines: AllLine, Check: That(
			"at least one object that can be read", "When nothing is found, answer with a Failure whose code ends in 0001.",
			func(m *Message, n *Node) string {
				objects := 0
				for o := range n.Each(nsRIM, "RegistryObject") {
					objects++
					for s := range o.Each(nsRIM, "Slot") {
						if v := child(s, "rim:SlotValue").First(); v.Is(nsSDG, s.Attr("", "name")) {
							return ""
						}
					}
				}
				if objects == 0 {
					return "" // R-…-S016 and S018 say so
				}
				return "a success without one readable object"
			})},
	}
}

func ebRequirementRules() []Rule {
	value := slotValue(answerObject, "Requirement")
	requirement := value + "/sdg:Requirement"
	framework := requirement + "/sdg:ReferenceFramework"
	return join(
		successRules("R-EB-REQ-"),
		// Kept in the rules of the success by the files of 1.0; R-EB-ERR later.
		on(V10, 0,
			Rule{ID: "R-EB-REQ-S009", At: queryResponse, Check: When(hasStatus(statusFailure), None("rim:RegistryObjectList"))},
			Rule{ID: "R-EB-REQ-S010", At: queryResponse, Check: When(hasStatus(statusFailure), Exactly(1, "rs:Exception"))},
		),
		requirementObjectRules("R-EB-REQ-S011", "R-EB-REQ-S012", "R-EB-REQ-S013", "R-EB-REQ-S014", value),
		frameworkRules("R-EB-REQ-", "R-EB-REQ-S015", requirement, framework),
		since2023(
			Rule{ID: "R-EB-REQ-S016", At: requirement, Check: None("sdg:EvidenceTypeList")},
			Rule{ID: "R-EB-REQ-S018", At: answerList, Check: AtLeast(1, "rim:RegistryObject")},
		),
	)
}

func requirementObjectRules(has, only, typed, holds string, value Path) []Rule {
	return since2023(
		Rule{ID: has, At: answerObject, Check: hasSlot("Requirement")},
		Rule{ID: only, At: answerObject, Check: AtMost(1, "rim:Slot")},
		Rule{ID: typed, At: value, Check: ValueType("AnyValueType")},
		Rule{ID: holds, At: value, Check: Exactly(1, "sdg:Requirement")},
	)
}

// hasSlot wants at least one slot of that name.
func hasSlot(name string) Check {
	return That("slot "+name, "Add the slot "+name+".", func(_ *Message, n *Node) string {
		if slot(n, name) == nil {
			return "no slot " + name
		}
		return ""
	})
}

// frameworkRules are the rows on a requirement and its reference frameworks,
// numbered alike in both answers of the Evidence Broker.
func frameworkRules(prefix, relatedOnly string, requirement, framework Path) []Rule {
	return join(
		since2023(
			Rule{ID: prefix + "C001", At: requirement + "/sdg:Identifier", Check: Norm(requirementAddress)},
			Rule{ID: prefix + "C004", At: framework + "/sdg:Identifier", Check: Norm(bareUUID)},
			Rule{ID: relatedOnly, At: framework + "/sdg:RelatedTo", Check: OnlyIdentifier()},
			Rule{ID: prefix + "S017", At: requirement, Check: AtLeast(1, "sdg:ReferenceFramework")},
			Rule{ID: prefix + "S019", At: answerObject, Check: Must("id", urnUUID)},
			Rule{ID: prefix + "S020", At: framework, Check: Has("sdg:RelatedTo")},
			Rule{ID: prefix + "S021", At: framework, Check: Has("sdg:Jurisdiction")},
		),
		langRules(prefix+"C002", prefix+"C003", requirement+"/sdg:Name"),
		langRules(prefix+"C005", prefix+"C006", framework+"/sdg:Title"),
		langRules(prefix+"C007", prefix+"C008", framework+"/sdg:Description"),
		geographyRules(prefix+"C009", prefix+"C010", prefix+"C011", framework+"/sdg:Jurisdiction"),
		always(Rule{ID: prefix + "C012", At: framework + "/sdg:RelatedTo/sdg:Identifier", Check: Raw(procedureCode)}),
	)
}

// OnlyIdentifier wants one Identifier and nothing else.
func OnlyIdentifier() Check {
	one, only := Exactly(1, "sdg:Identifier"), OnlyChildren("sdg:Identifier")
	return Check{"sdg:Identifier and nothing else", "Leave only the identifier of the procedure.", func(m *Message, n *Node) *Fault {
		if f := one.Test(m, n); f != nil {
			return f
		}
		return only.Test(m, n)
	}}
}

func ebEvidenceTypeRules() []Rule {
	value := slotValue(answerObject, "Requirement")
	requirement := value + "/sdg:Requirement"
	list := requirement + "/sdg:EvidenceTypeList"
	evidenceType := list + "/sdg:EvidenceType"
	return join(
		successRules("R-EB-EVI-"),
		requirementObjectRules("R-EB-EVI-S009", "R-EB-EVI-S010", "R-EB-EVI-S011", "R-EB-EVI-S012", value),
		frameworkRules("R-EB-EVI-", "R-EB-EVI-S013", requirement, requirement+"/sdg:ReferenceFramework"),
		since2023(
			Rule{ID: "R-EB-EVI-C013", At: list + "/sdg:Identifier", Check: Norm(bareUUID)},
			Rule{ID: "R-EB-EVI-C016", At: evidenceType + "/sdg:EvidenceTypeClassification", Check: Norm(evidenceTypeAddress)},
			Rule{ID: "R-EB-EVI-S014", At: evidenceType, Check: None("sdg:Distribution")},
			Rule{ID: "R-EB-EVI-S016", At: requirement, Check: AtLeast(1, "sdg:EvidenceTypeList")},
			Rule{ID: "R-EB-EVI-S018", At: answerList, Check: Exactly(1, "rim:RegistryObject")},
		),
		langRules("R-EB-EVI-C014", "R-EB-EVI-C015", list+"/sdg:Name"),
		langRules("R-EB-EVI-C017", "R-EB-EVI-C018", evidenceType+"/sdg:Title"),
		langRules("R-EB-EVI-C019", "R-EB-EVI-C020", evidenceType+"/sdg:Description"),
		gone20(Rule{ID: "R-EB-EVI-C021", At: evidenceType, Check: Has("sdg:Jurisdiction")}),
		geographyRules("R-EB-EVI-C022", "R-EB-EVI-C023", "R-EB-EVI-C024", evidenceType+"/sdg:Jurisdiction"),
		always(Rule{ID: "R-EB-EVI-S015", At: list, Check: When(not(noMatch), AtLeast(1, "sdg:EvidenceType")),
			Mend: "Name the evidence types, or, from line 2.0, declare MatchType NoMatch."}),
		since20(
			Rule{ID: "R-EB-EVI-C043", At: list + "/sdg:MatchType", Check: Raw(Is("NoMatch"))},
			Rule{ID: "R-EB-EVI-C045", At: list + "/sdg:MatchDescription", Check: FilledAttr("lang")},
		),
	)
}

// noMatch holds for a list that declares, as line 2.0 allows, that there is
// nothing in it.
func noMatch(m *Message, n *Node) bool {
	return m.Line == V20 && child(n, "sdg:MatchType").Norm() == "NoMatch"
}

// dsdQuestion is no refusal but a question to the user (TDD 3.1.4).
const dsdQuestion = "DSD:ERR:0005"

// exceptionOf is the type of exception that a list of error codes gives for a
// code, without its prefix; "" for a code that the line does not know.
func exceptionOf(m *Message, list, code string) string {
	row, ok := m.lists.List(list).Lookup(code)
	if !ok || m.Line == V20 && row.Get("until") != "" {
		return ""
	}
	return strings.TrimPrefix(row.Get("type"), "rs:")
}

// knownCode wants a code of the list that is in force on the line.
func knownCode(list string) Check {
	return Attr("code", Want{Words: "a code of " + list, Mend: "Write the code of the list that says what went wrong.", Is: func(m *Message, v string) bool {
		return exceptionOf(m, list, v) != ""
	}})
}

// exceptionType wants the xsi:type that the list gives for the code. Without a
// known code any type of the list will do: the code is the defect then.
func exceptionType(list string) Check {
	return Check{"the xsi:type of the code", "Write the xsi:type that belongs to the code: ObjectNotFound for what is not there, InvalidRequest for what was asked wrongly.", func(m *Message, n *Node) *Fault {
		v, ok := attr(n, "xsi:type")
		if !ok {
			return nil
		}
		_, local, _ := cut(v, ':')
		code, _ := attr(n, "code")
		want := exceptionOf(m, list, code)
		switch {
		case want == local:
			return nil
		case want != "":
			return &Fault{Attr: "xsi:type", Found: quote(v), Expect: "rs:" + want + " for " + code}
		}
		for _, c := range m.lists.List(list).Codes() {
			if exceptionOf(m, list, c) == local {
				return nil
			}
		}
		return &Fault{Attr: "xsi:type", Found: quote(v)}
	}}
}

// severityRules are the rows on a severity that can only be Error: one says that
// it is of the list, the other which of the list.
func severityRules(member, isError string, at Path) []Rule {
	return since2023(
		Rule{ID: member, At: at, Check: Must("severity", OneOf(codelist.ErrorSeverity))},
		Rule{ID: isError, At: at, Check: When(listedSeverity, Attr("severity", Is(severityError)))},
	)
}

func listedSeverity(m *Message, n *Node) bool {
	v, _ := attr(n, "severity")
	return m.lists.Contains(codelist.ErrorSeverity, v)
}

func ebErrorRules() []Rule {
	return join(
		rootRules("R-EB-ERR-001", "R-EB-ERR-002", "QueryResponse", nsQuery),
		since2023(
			Rule{ID: "R-EB-ERR-005", At: queryResponse, Check: HasAttr("status")},
			Rule{ID: "R-EB-ERR-006", At: queryResponse, Check: Must("status", Is(statusFailure))},
			Rule{ID: "R-EB-ERR-007", At: queryResponse, Check: None("rim:RegistryObjectList")},
			Rule{ID: "R-EB-ERR-008", At: queryResponse, Check: Exactly(1, "rs:Exception")},
			Rule{ID: "R-EB-ERR-009", At: queryException, Check: HasAttr("xsi:type")},
			Rule{ID: "R-EB-ERR-010", At: queryException, Check: exceptionType(codelist.EBErrorCodes)},
			Rule{ID: "R-EB-ERR-015", At: queryException, Check: HasAttr("code")},
			Rule{ID: "R-EB-ERR-016", At: queryException, Check: knownCode(codelist.EBErrorCodes)},
		),
		severityRules("R-EB-ERR-011", "R-EB-ERR-012", queryException),
		always(Rule{ID: "R-EB-ERR-013", At: queryException, Check: HasAttr("message")}),
		gone20(Rule{ID: "R-EB-ERR-017", At: queryResponse, Check: None("rim:Slot")}),
	)
}
