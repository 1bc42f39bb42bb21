package validator

import (
	"errors"
	"strings"

	"github.com/once-only/oots/xmltree"
)

// detectKind tells what a message is from its document element, its status and
// what its slots are called.
func detectKind(root *Node) Kinds {
	switch {
	case root.Is(nsQuery, "QueryRequest"):
		return EDMRequest
	case root.Is(nsQuery, "QueryResponse"):
		return detectResponse(root)
	case root.Is(nsLCM, "SubmitObjectsRequest"):
		return detectSubmission(root)
	case root.Is(nsRS, "RegistryResponse"):
		if strings.HasSuffix(root.Attr("", "status"), ":Success") {
			return LCMSuccess
		}
		return LCMError
	case messaging(root) != nil:
		return EBMSHeader
	}
	return Unknown
}

// messaging is the eb:Messaging of a header: the document element itself, or
// the one in a SOAP envelope.
func messaging(root *Node) *Node {
	if root.Is(nsEB, "Messaging") {
		return root
	}
	if root.Is(nsSOAP, "Envelope") {
		return root.Child(nsSOAP, "Header").Child(nsEB, "Messaging")
	}
	return nil
}

func detectResponse(root *Node) Kinds {
	if strings.HasSuffix(root.Attr("", "status"), ":Failure") || child(root, "rs:Exception") != nil {
		for e := range root.Each(nsRS, "Exception") {
			switch service, _, _ := strings.Cut(xmltree.TrimSpace(e.Attr("", "code")), ":"); service {
			case "EB":
				return EBError
			case "DSD":
				return DSDError
			case "EDM":
				return EDMError
			}
		}
		return EDMError
	}
	if slot(root, "EvidenceResponseIdentifier") != nil || slot(root, "EvidenceProvider") != nil {
		return EDMResponse
	}
	for object := range root.FindAll(nsRIM, "RegistryObjectList", "RegistryObject") {
		for s := range object.Each(nsRIM, "Slot") {
			switch s.Attr("", "name") {
			case "DataServiceEvidenceType":
				return DSDResponse
			case "Requirement":
				if find(s, "rim:SlotValue", "sdg:Requirement", "sdg:EvidenceTypeList") != nil {
					return EBEvidenceTypes
				}
				return EBRequirements
			case "EvidenceMetadata":
				return EDMResponse
			}
		}
	}
	return EDMResponse
}

// detectSubmission may find both a part for the Evidence Broker and one for the
// Data Service Directory.
func detectSubmission(root *Node) (k Kinds) {
	for object := range root.FindAll(nsRIM, "RegistryObjectList", "RegistryObject") {
		for s := range object.Each(nsRIM, "Slot") {
			switch s.Attr("", "name") {
			case "EvidenceType", "EvidenceTypeList", "Requirement", "ReferenceFramework":
				k |= EBSubmission
			case "EvidenceProvider", "AccessService", "DataServiceEvidenceType":
				k |= DSDSubmission
			}
		}
	}
	if k == 0 {
		return EBSubmission
	}
	return k
}

// detectLine reads the line that a message announces. One that announces none,
// or one that nobody knows, is judged by the rules that would have asked for it:
// the newest for the Exchange Data Model, the first shape for answers of the
// Common Services (TDD 3.6.2: an answer without the slot is of line 1.0).
func detectLine(root *Node, k Kinds) Lines {
	switch {
	case k == EBMSHeader:
		return headerLine(messaging(root))
	case k&EDM != 0:
		if l := ParseLine(xmltree.TrimSpace(slotText(root, "SpecificationIdentifier"))); l != 0 {
			return l
		}
		return V20
	default:
		if l := ParseLine(xmltree.TrimSpace(slotText(root, "SpecificationIdentifier"))); l != 0 {
			return l
		}
		return V10
	}
}

// headerLine: only line 2.0 knows the properties SpecificationId and ExchangeId
// (TDD 4.7).
func headerLine(messaging *Node) Lines {
	for p := range messaging.FindAll(nsEB, "UserMessage", "MessageProperties", "Property") {
		switch p.Attr("", "name") {
		case "SpecificationId":
			if l := ParseLine(p.Norm()); l != 0 {
				return l
			}
			return V20
		case "ExchangeId":
			return V20
		}
	}
	return V12
}

// specification is the identifier of a line as messages write it.
func specification(k Kinds, l Lines) string {
	names := l.Names()
	if k == Unknown || len(names) != 1 {
		return ""
	}
	switch {
	case k&(EDM|EBMSHeader) != 0:
		return "oots-edm:v" + names[0]
	case k&LCM != 0:
		return "oots-lcm:v" + names[0]
	}
	return "oots-cs:v" + names[0]
}

// unreadable turns the refusal of the reader into a finding.
func unreadable(err error) Finding {
	f := Finding{Rule: "XML-malformed", Severity: Fatal, Found: err.Error(), Expected: "a well-formed XML document in UTF-8", Mend: "Repair the document and send it again.", Cites: "XML 1.0"}
	var e *xmltree.Error
	if !errors.As(err, &e) {
		return f
	}
	f.Rule, f.Line, f.Column, f.Found = "XML-"+string(e.Reason), e.Line, e.Column, e.Text
	switch e.Reason {
	case xmltree.Empty:
		f.Mend = "Give a file that holds a message; this one is empty."
	case xmltree.NotXML:
		f.Mend = "Give the message itself: unpack an archive first, and take the XML part of a MIME message."
	case xmltree.Encoding:
		f.Expected, f.Mend = "UTF-8", "Save the document in UTF-8, and let its XML declaration say so."
	case xmltree.TooLarge:
		f.Expected, f.Mend = "a document within the limits", "Make it smaller or flatter; no message of the system is this large."
	case xmltree.Doctype:
		f.Expected, f.Mend = "no DOCTYPE and no entity of its own", "Remove the DOCTYPE and write out what its entities stood for."
	case xmltree.Processing:
		f.Expected, f.Mend = "no processing instruction", "Remove the processing instruction."
	case xmltree.Truncated:
		f.Mend = "The document stops in the middle: send it whole."
	case xmltree.Unbound:
		f.Expected, f.Mend = "each prefix declared", "Declare the prefix with xmlns: on the element or above it."
	}
	return f
}

func unknownRoot(root *Node) Finding {
	pos := root.Pos()
	return Finding{
		Rule: strRoot, Severity: Fatal, Line: pos.Line, Column: pos.Column, Path: root.Path(),
		Found:    display(root.Space(), root.Local()),
		Expected: "query:QueryRequest, query:QueryResponse, lcm:SubmitObjectsRequest, rs:RegistryResponse or eb:Messaging",
		Mend:     "Give a message of the Once-Only Technical System, or say with --kind which one this should be.",
		Cites:    "TDD 4.5, 3.6",
	}
}
