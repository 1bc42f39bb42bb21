// Package sdg is the vocabulary of http://data.europa.eu/p4s that the
// Exchange Data Model and the Common Services share: Agent, Person,
// Requirement, EvidenceType, AccessService, Evidence and what they are made
// of.
//
// It implements the SDG Generic Metadata Profile 1.0.0 and what TDD 1.2 and
// 2.0.1 changed. Each type has one table of rows, in the order of the schema;
// the same table reads and writes. Reading refuses unknown elements and
// attributes, wrong order and wrong number; a place in the order that no
// source settles is free. White space in values is normalised. Code lists and
// all other rules are the validator's business.
package sdg

import "github.com/once-only/oots/regrep"

// Space is the namespace of every element here.
const Space = "http://data.europa.eu/p4s"

// Generation tells which editions of the vocabulary are meant: one to write,
// one or several to read.
type Generation uint8

const (
	V10 Generation = 1 << iota // TDD 1.0
	V12                        // TDD 1.1 and 1.2
	V20                        // TDD 2.0
	V1x = V10 | V12
	All = V1x | V20 // reads all, as a directory's client must
)

// Text is a text in one language; the attribute is lang, without prefix.
type Text = regrep.Text

// Identifier is a value and the scheme that gives it meaning.
type Identifier struct {
	Scheme string // schemeID, "" for none
	Value  string
}

// Agent is sdg:Agent, an authority or platform in one of its roles.
type Agent struct {
	Identifier     Identifier
	Names          []Text
	Address        *Address
	Jurisdiction   *Jurisdiction // the schema knows it, the EDM forbids it
	Classification string        // ER, IP, EP or ERRP; "" for none
}

// Address is sdg:AddressType.
type Address struct {
	FullAddress       string
	LocatorDesignator string
	PostCode          string
	PostCityName      string
	Thoroughfare      string
	AdminUnitLevel1   string // country
	AdminUnitLevel2   string // NUTS
}

// Jurisdiction is sdg:Jurisdiction.
type Jurisdiction struct {
	AdminUnitLevel1 string     // country
	AdminUnitLevel2 string     // NUTS; 1.x only
	AdminUnitLevel3 string     // LAU; 1.x only
	Classifications []ListCode // AdditionalJurisdictionClassification; 2.0 only
}

// ListCode is a code of a list that a Member State publishes.
type ListCode struct {
	List string // listID
	Code string
}

// Person is sdg:Person in a request, sdg:NaturalPerson in an Evidence.
type Person struct {
	LevelOfAssurance   string // Low, Substantial, High
	Identifier         *Identifier
	FamilyName         string
	GivenName          string
	DateOfBirth        string // YYYY-MM-DD
	BirthName          string
	PlaceOfBirth       string
	CurrentAddress     *Address
	Gender             string
	Nationalities      []string
	CountryOfBirth     string
	TownOfBirth        string
	CountryOfResidence string
	PhoneNumber        string
	EmailAddress       string
	Attributes         []Attribute
}

// LegalPerson is sdg:LegalPerson.
type LegalPerson struct {
	LevelOfAssurance  string
	Identifiers       []Identifier
	LegalIdentifier   *Identifier // LegalPersonIdentifier, scheme eidas
	LegalName         string
	RegisteredAddress *Address
	PhoneNumber       string // LegalPhoneNumber
	EmailAddress      string // LegalEmailAddress
	Attributes        []Attribute
}

// Attribute is sdg:SectorSpecificAttribute.
type Attribute struct{ Name, URI, Value string }

// Requirement is sdg:Requirement.
type Requirement struct {
	ID                string // address in the Semantic Repository
	Names             []Text
	Descriptions      []Text
	Frameworks        []ReferenceFramework
	EvidenceTypeLists []EvidenceTypeList
}

// ReferenceFramework is a Member State's statement that a procedure of its
// own rests on a requirement.
type ReferenceFramework struct {
	ID           string
	Titles       []Text
	Descriptions []Text
	Procedures   []string // RelatedTo/Identifier: codes of the list Procedures
	Jurisdiction *Jurisdiction
}

// EvidenceTypeList holds evidence types that prove a requirement together;
// several lists are alternatives.
type EvidenceTypeList struct {
	ID                string
	Names             []Text
	MatchType         string // NoMatch, or ""
	MatchDescriptions []Text
	EvidenceTypes     []EvidenceType
	Jurisdiction      *Jurisdiction
}

// EvidenceType is sdg:EvidenceType, and sdg:IsConformantTo in an Evidence.
type EvidenceType struct {
	Classification string // address in the Semantic Repository
	Titles         []Text
	Descriptions   []Text
	Jurisdictions  []Jurisdiction // 1.x only
	Distributions  []Distribution // must be absent in answers of the Evidence Broker
	// StructuredFormats are the formats of StructuredEvidenceTypeDistribution.
	StructuredFormats []string
}

// DataServiceEvidenceType is what a country publishes, and what a request
// asks, for one evidence type.
type DataServiceEvidenceType struct {
	ID                string
	Classification    string // EvidenceTypeClassification
	Titles            []Text
	Descriptions      []Text
	DistributedAs     []Distribution
	AccessServices    []AccessService
	LevelOfAssurance  string // AuthenticationLevelOfAssurance
	Notes             []Text
	JurisdictionAsked *JurisdictionDetermination // 1.x only
	ProviderQuestions []ClassificationConcept    // EvidenceProviderClassification
}

// Distribution is sdg:DistributedAs of a record or a request, and
// sdg:Distribution of an Evidence.
type Distribution struct {
	Formats        []string // one, but the schema of the directory allows several
	Languages      []string
	ConformsTo     string
	Transformation string   // 1.x only
	Associated     []string // AssociatedDocumentRequest: Annex, Translation …; requests of 2.0 only
}

// Format is the first format, "" when there is none.
func (d Distribution) Format() string {
	if len(d.Formats) == 0 {
		return ""
	}
	return d.Formats[0]
}

// AccessService is the access point of a provider.
type AccessService struct {
	Identifier Identifier // eb:PartyId of the access point, with its type
	Names      []Text
	ConformsTo []string // lines, such as oots-edm:v2.0
	Publisher  *Publisher
}

// Publisher is the evidence provider behind an access service.
type Publisher struct {
	Identifier   Identifier
	Names        []Text
	Descriptions []Text
	Address      *Address
	Jurisdiction *Jurisdiction
	Concepts     []ClassificationConcept // ClassificationConcept: the answers it covers
}

// ClassificationConcept is a question that decides which provider is right
// (EvidenceProviderClassification), an answer to it, or the values that a
// provider covers (ClassificationConcept).
type ClassificationConcept struct {
	Identifier      Identifier // UUID; the scheme is a Member State's code list
	Type            string     // string, boolean or codelist
	ValueExpression string
	Descriptions    []Text
	Values          *SupportedValue
}

// SupportedValue holds values of one of the three kinds.
type SupportedValue struct {
	Strings  []string
	Dates    []string
	Booleans []bool
}

// JurisdictionDetermination asks for a place; 1.x only.
type JurisdictionDetermination struct {
	ContextID string
	Contexts  []Text
	Level     string
}

// Evidence is sdg:Evidence, the metadata of one document.
type Evidence struct {
	ID               string
	About            *Subject
	IssuingAuthority *Agent
	Type             *EvidenceType // IsConformantTo
	IssuingDate      string        // YYYY-MM-DD
	Distribution     Distribution
	Validity         *Period // ValidityPeriod
}

// Subject is sdg:IsAbout: one of the two.
type Subject struct {
	NaturalPerson *Person
	LegalPerson   *LegalPerson
}

// Period is sdg:ValidityPeriod, both days included.
type Period struct{ Start, End string }

// Name gives the text in a language (compared without regard to case), else
// in English, else the first, else "".
func Name(texts []Text, lang string) string {
	for _, want := range []string{lang, "EN"} {
		for _, t := range texts {
			if equalFold(t.Lang, want) {
				return t.Value
			}
		}
	}
	if len(texts) > 0 {
		return texts[0].Value
	}
	return ""
}
