package sdg

import (
	"fmt"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/xmltree"
)

// Record is a type that stands on its own in a slot.
type Record[T any] interface {
	*T
	element() string
	table() []row[T]
}

func (*Agent) element() string                   { return "Agent" }
func (*Person) element() string                  { return "Person" }
func (*LegalPerson) element() string             { return "LegalPerson" }
func (*Requirement) element() string             { return "Requirement" }
func (*ReferenceFramework) element() string      { return "ReferenceFramework" }
func (*EvidenceTypeList) element() string        { return "EvidenceTypeList" }
func (*EvidenceType) element() string            { return "EvidenceType" }
func (*DataServiceEvidenceType) element() string { return "DataServiceEvidenceType" }
func (*AccessService) element() string           { return "AccessService" }
func (*Publisher) element() string               { return "Publisher" }
func (*ClassificationConcept) element() string   { return "EvidenceProviderClassification" }
func (*JurisdictionDetermination) element() string {
	return "EvidenceProviderJurisdictionDetermination"
}
func (*Evidence) element() string { return "Evidence" }

func (*Agent) table() []row[Agent]                                         { return agentTable }
func (*Person) table() []row[Person]                                       { return personTable }
func (*LegalPerson) table() []row[LegalPerson]                             { return legalPersonTable }
func (*Requirement) table() []row[Requirement]                             { return requirementTable }
func (*ReferenceFramework) table() []row[ReferenceFramework]               { return frameworkTable }
func (*EvidenceTypeList) table() []row[EvidenceTypeList]                   { return evidenceTypeListTable }
func (*EvidenceType) table() []row[EvidenceType]                           { return evidenceTypeTable }
func (*DataServiceEvidenceType) table() []row[DataServiceEvidenceType]     { return dataServiceTable }
func (*AccessService) table() []row[AccessService]                         { return accessServiceTable }
func (*Publisher) table() []row[Publisher]                                 { return publisherTable }
func (*ClassificationConcept) table() []row[ClassificationConcept]         { return conceptTable }
func (*JurisdictionDetermination) table() []row[JurisdictionDetermination] { return determinationTable }
func (*Evidence) table() []row[Evidence]                                   { return evidenceTable }

// Read reads an element as the type T, whose name it must have. The error, if
// any, is a *regrep.ContentError.
func Read[T any, P Record[T]](e *xmltree.Element, g Generation) (*T, error) {
	t := new(T)
	p := P(t)
	if !e.Is(Space, p.element()) {
		return nil, regrep.Refuse(e, "%s stands where sdg:%s must stand", e.Name(), p.element())
	}
	return t, readTable(p.table(), t, e, g)
}

// Value is a slot value that writes a record in a generation. What that
// generation cannot say makes the document fail.
func Value[T any, P Record[T]](t *T, g Generation) regrep.Any {
	p := P(t)
	return regrep.Any{Write: func(w *xmltree.Writer) { writeTable(p.table(), t, w, "sdg:"+p.element(), g) }}
}

// Values is a collection that writes records in a generation.
func Values[T any, P Record[T]](list []T, g Generation) regrep.Collection {
	c := regrep.Collection{Elements: make([]regrep.Any, len(list))}
	for i := range list {
		c.Elements[i] = Value[T, P](&list[i], g)
	}
	return c
}

// Write writes a record as an element of its own.
func Write[T any, P Record[T]](w *xmltree.Writer, t *T, g Generation) {
	Value[T, P](t, g).Write(w)
}

// ReadAny reads whatever record the element's name announces: a pointer to
// one of the types above.
func ReadAny(e *xmltree.Element, g Generation) (any, error) {
	if e.Space() != Space {
		return nil, regrep.Refuse(e, "%s is not of the namespace %s", e.Name(), Space)
	}
	if read := readers[e.Local()]; read != nil {
		return read(e, g)
	}
	return nil, regrep.Refuse(e, "%s is no record of the vocabulary", e.Name())
}

var readers = map[string]func(*xmltree.Element, Generation) (any, error){
	"Agent":                          reader[Agent],
	"Person":                         reader[Person],
	"LegalPerson":                    reader[LegalPerson],
	"Requirement":                    reader[Requirement],
	"ReferenceFramework":             reader[ReferenceFramework],
	"EvidenceTypeList":               reader[EvidenceTypeList],
	"EvidenceType":                   reader[EvidenceType],
	"DataServiceEvidenceType":        reader[DataServiceEvidenceType],
	"AccessService":                  reader[AccessService],
	"Publisher":                      reader[Publisher],
	"EvidenceProviderClassification": reader[ClassificationConcept],
	"EvidenceProviderJurisdictionDetermination": reader[JurisdictionDetermination],
	"Evidence": reader[Evidence],
}

func reader[T any, P Record[T]](e *xmltree.Element, g Generation) (any, error) {
	return Read[T, P](e, g)
}

// WriteAny writes a record that ReadAny gave.
func WriteAny(w *xmltree.Writer, v any, g Generation) {
	switch v := v.(type) {
	case *Agent:
		Write(w, v, g)
	case *Person:
		Write(w, v, g)
	case *LegalPerson:
		Write(w, v, g)
	case *Requirement:
		Write(w, v, g)
	case *ReferenceFramework:
		Write(w, v, g)
	case *EvidenceTypeList:
		Write(w, v, g)
	case *EvidenceType:
		Write(w, v, g)
	case *DataServiceEvidenceType:
		Write(w, v, g)
	case *AccessService:
		Write(w, v, g)
	case *Publisher:
		Write(w, v, g)
	case *ClassificationConcept:
		Write(w, v, g)
	case *JurisdictionDetermination:
		Write(w, v, g)
	case *Evidence:
		Write(w, v, g)
	default:
		w.Fail(fmt.Errorf("sdg: %T is no record of the vocabulary", v))
	}
}
