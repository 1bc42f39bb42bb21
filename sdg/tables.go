package sdg

// The tables, in the order of the schema. Where only TDD 1.0 settles the
// order, the rows are free in later generations.

var addressTable = []row[Address]{
	text("FullAddress", func(a *Address) *string { return &a.FullAddress }),
	text("LocatorDesignator", func(a *Address) *string { return &a.LocatorDesignator }),
	text("PostCode", func(a *Address) *string { return &a.PostCode }),
	text("PostCityName", func(a *Address) *string { return &a.PostCityName }),
	text("Thoroughfare", func(a *Address) *string { return &a.Thoroughfare }),
	text("AdminUnitLevel1", func(a *Address) *string { return &a.AdminUnitLevel1 }).required(),
	text("AdminUnitLevel2", func(a *Address) *string { return &a.AdminUnitLevel2 }),
}

var jurisdictionTable = []row[Jurisdiction]{
	text("AdminUnitLevel1", func(j *Jurisdiction) *string { return &j.AdminUnitLevel1 }).required(),
	text("AdminUnitLevel2", func(j *Jurisdiction) *string { return &j.AdminUnitLevel2 }).only(V1x),
	text("AdminUnitLevel3", func(j *Jurisdiction) *string { return &j.AdminUnitLevel3 }).only(V1x),
	listCodes("AdditionalJurisdictionClassification", func(j *Jurisdiction) *[]ListCode { return &j.Classifications }).only(V20),
}

var agentTable = []row[Agent]{
	identifier("Identifier", func(a *Agent) *Identifier { return &a.Identifier }).required(),
	texts("Name", func(a *Agent) *[]Text { return &a.Names }).required(),
	optional("Address", addressTable, func(a *Agent) **Address { return &a.Address }),
	optional("Jurisdiction", jurisdictionTable, func(a *Agent) **Jurisdiction { return &a.Jurisdiction }),
	text("Classification", func(a *Agent) *string { return &a.Classification }),
}

var attributeTable = []row[Attribute]{
	text("AttributeName", func(a *Attribute) *string { return &a.Name }).required(),
	text("AttributeURI", func(a *Attribute) *string { return &a.URI }).required(),
	text("AttributeValue", func(a *Attribute) *string { return &a.Value }).required(),
}

const later = V12 | V20

var personTable = []row[Person]{
	text("LevelOfAssurance", func(p *Person) *string { return &p.LevelOfAssurance }),
	optionalIdentifier("Identifier", func(p *Person) **Identifier { return &p.Identifier }),
	text("FamilyName", func(p *Person) *string { return &p.FamilyName }).required(),
	text("GivenName", func(p *Person) *string { return &p.GivenName }).required(),
	date("DateOfBirth", func(p *Person) *string { return &p.DateOfBirth }).required(),
	text("BirthName", func(p *Person) *string { return &p.BirthName }).freeIn(later),
	text("PlaceOfBirth", func(p *Person) *string { return &p.PlaceOfBirth }).freeIn(later),
	optional("CurrentAddress", addressTable, func(p *Person) **Address { return &p.CurrentAddress }).freeIn(later),
	text("Gender", func(p *Person) *string { return &p.Gender }).freeIn(later),
	list("Nationality", func(p *Person) *[]string { return &p.Nationalities }).only(later).freeIn(later),
	text("CountryOfBirth", func(p *Person) *string { return &p.CountryOfBirth }).only(later).freeIn(later),
	text("TownOfBirth", func(p *Person) *string { return &p.TownOfBirth }).only(later).freeIn(later),
	text("CountryOfResidence", func(p *Person) *string { return &p.CountryOfResidence }).only(later).freeIn(later),
	text("PhoneNumber", func(p *Person) *string { return &p.PhoneNumber }).only(later).freeIn(later),
	text("EmailAddress", func(p *Person) *string { return &p.EmailAddress }).only(later).freeIn(later),
	records("SectorSpecificAttribute", attributeTable, func(p *Person) *[]Attribute { return &p.Attributes }).freeIn(later),
}

var legalPersonTable = []row[LegalPerson]{
	text("LevelOfAssurance", func(p *LegalPerson) *string { return &p.LevelOfAssurance }),
	identifiers("Identifier", func(p *LegalPerson) *[]Identifier { return &p.Identifiers }),
	optionalIdentifier("LegalPersonIdentifier", func(p *LegalPerson) **Identifier { return &p.LegalIdentifier }),
	text("LegalName", func(p *LegalPerson) *string { return &p.LegalName }).required(),
	optional("RegisteredAddress", addressTable, func(p *LegalPerson) **Address { return &p.RegisteredAddress }).freeIn(later),
	text("LegalPhoneNumber", func(p *LegalPerson) *string { return &p.PhoneNumber }).only(later).freeIn(later),
	text("LegalEmailAddress", func(p *LegalPerson) *string { return &p.EmailAddress }).only(later).freeIn(later),
	records("SectorSpecificAttribute", attributeTable, func(p *LegalPerson) *[]Attribute { return &p.Attributes }).freeIn(later),
}

var frameworkTable = []row[ReferenceFramework]{
	text("Identifier", func(f *ReferenceFramework) *string { return &f.ID }).required(),
	texts("Title", func(f *ReferenceFramework) *[]Text { return &f.Titles }),
	texts("Description", func(f *ReferenceFramework) *[]Text { return &f.Descriptions }),
	wrapped("RelatedTo", "Identifier", func(f *ReferenceFramework) *[]string { return &f.Procedures }),
	optional("Jurisdiction", jurisdictionTable, func(f *ReferenceFramework) **Jurisdiction { return &f.Jurisdiction }),
}

var evidenceTypeTable = []row[EvidenceType]{
	text("EvidenceTypeClassification", func(t *EvidenceType) *string { return &t.Classification }).required(),
	texts("Title", func(t *EvidenceType) *[]Text { return &t.Titles }).required(),
	texts("Description", func(t *EvidenceType) *[]Text { return &t.Descriptions }),
	records("Jurisdiction", jurisdictionTable, func(t *EvidenceType) *[]Jurisdiction { return &t.Jurisdictions }).only(V1x),
	records("Distribution", distributionTable, func(t *EvidenceType) *[]Distribution { return &t.Distributions }),
	wrapped("StructuredEvidenceTypeDistribution", "Format", func(t *EvidenceType) *[]string { return &t.StructuredFormats }).only(V20).freeIn(V20),
}

var evidenceTypeListTable = []row[EvidenceTypeList]{
	text("Identifier", func(l *EvidenceTypeList) *string { return &l.ID }).required(),
	texts("Name", func(l *EvidenceTypeList) *[]Text { return &l.Names }),
	text("MatchType", func(l *EvidenceTypeList) *string { return &l.MatchType }).only(V20).freeIn(V20),
	texts("MatchDescription", func(l *EvidenceTypeList) *[]Text { return &l.MatchDescriptions }).only(V20).freeIn(V20),
	records("EvidenceType", evidenceTypeTable, func(l *EvidenceTypeList) *[]EvidenceType { return &l.EvidenceTypes }),
	optional("Jurisdiction", jurisdictionTable, func(l *EvidenceTypeList) **Jurisdiction { return &l.Jurisdiction }).only(V20),
}

var requirementTable = []row[Requirement]{
	text("Identifier", func(r *Requirement) *string { return &r.ID }).required(),
	texts("Name", func(r *Requirement) *[]Text { return &r.Names }).required(),
	texts("Description", func(r *Requirement) *[]Text { return &r.Descriptions }).only(later),
	records("ReferenceFramework", frameworkTable, func(r *Requirement) *[]ReferenceFramework { return &r.Frameworks }),
	records("EvidenceTypeList", evidenceTypeListTable, func(r *Requirement) *[]EvidenceTypeList { return &r.EvidenceTypeLists }),
}

// distributedAsTable is that of a record or a request.
var distributedAsTable = []row[Distribution]{
	list("Format", func(d *Distribution) *[]string { return &d.Formats }).required(),
	list("Language", func(d *Distribution) *[]string { return &d.Languages }).only(V20),
	text("ConformsTo", func(d *Distribution) *string { return &d.ConformsTo }),
	text("Transformation", func(d *Distribution) *string { return &d.Transformation }).only(V1x),
	list("AssociatedDocumentRequest", func(d *Distribution) *[]string { return &d.Associated }).only(V20),
}

// distributionTable is that of an Evidence.
var distributionTable = []row[Distribution]{
	list("Format", func(d *Distribution) *[]string { return &d.Formats }).required(),
	list("Language", func(d *Distribution) *[]string { return &d.Languages }),
	text("ConformsTo", func(d *Distribution) *string { return &d.ConformsTo }),
	text("Transformation", func(d *Distribution) *string { return &d.Transformation }).only(V1x),
}

var supportedValueTable = []row[SupportedValue]{
	list("StringValue", func(v *SupportedValue) *[]string { return &v.Strings }),
	list("DateValue", func(v *SupportedValue) *[]string { return &v.Dates }).checked(isDate, "a date such as 2001-02-03"),
	booleans("BooleanValue", func(v *SupportedValue) *[]bool { return &v.Booleans }),
}

var conceptTable = []row[ClassificationConcept]{
	identifier("Identifier", func(c *ClassificationConcept) *Identifier { return &c.Identifier }).required(),
	text("Type", func(c *ClassificationConcept) *string { return &c.Type }),
	text("ValueExpression", func(c *ClassificationConcept) *string { return &c.ValueExpression }),
	texts("Description", func(c *ClassificationConcept) *[]Text { return &c.Descriptions }),
	optional("SupportedValue", supportedValueTable, func(c *ClassificationConcept) **SupportedValue { return &c.Values }),
}

var publisherTable = []row[Publisher]{
	identifier("Identifier", func(p *Publisher) *Identifier { return &p.Identifier }).required(),
	texts("Name", func(p *Publisher) *[]Text { return &p.Names }).required(),
	texts("Description", func(p *Publisher) *[]Text { return &p.Descriptions }).only(later),
	optional("Address", addressTable, func(p *Publisher) **Address { return &p.Address }).required(),
	optional("Jurisdiction", jurisdictionTable, func(p *Publisher) **Jurisdiction { return &p.Jurisdiction }).required(),
	records("ClassificationConcept", conceptTable, func(p *Publisher) *[]ClassificationConcept { return &p.Concepts }),
}

var accessServiceTable = []row[AccessService]{
	identifier("Identifier", func(s *AccessService) *Identifier { return &s.Identifier }).required(),
	texts("Name", func(s *AccessService) *[]Text { return &s.Names }),
	list("ConformsTo", func(s *AccessService) *[]string { return &s.ConformsTo }).required(),
	optional("Publisher", publisherTable, func(s *AccessService) **Publisher { return &s.Publisher }),
}

var determinationTable = []row[JurisdictionDetermination]{
	text("JurisdictionContextId", func(d *JurisdictionDetermination) *string { return &d.ContextID }).required(),
	texts("JurisdictionContext", func(d *JurisdictionDetermination) *[]Text { return &d.Contexts }).required(),
	text("JurisdictionLevel", func(d *JurisdictionDetermination) *string { return &d.Level }).required(),
}

var dataServiceTable = []row[DataServiceEvidenceType]{
	text("Identifier", func(d *DataServiceEvidenceType) *string { return &d.ID }).required(),
	text("EvidenceTypeClassification", func(d *DataServiceEvidenceType) *string { return &d.Classification }).required(),
	texts("Title", func(d *DataServiceEvidenceType) *[]Text { return &d.Titles }).required(),
	texts("Description", func(d *DataServiceEvidenceType) *[]Text { return &d.Descriptions }),
	records("DistributedAs", distributedAsTable, func(d *DataServiceEvidenceType) *[]Distribution { return &d.DistributedAs }).required(),
	records("AccessService", accessServiceTable, func(d *DataServiceEvidenceType) *[]AccessService { return &d.AccessServices }),
	text("AuthenticationLevelOfAssurance", func(d *DataServiceEvidenceType) *string { return &d.LevelOfAssurance }),
	texts("Note", func(d *DataServiceEvidenceType) *[]Text { return &d.Notes }),
	optional("EvidenceProviderJurisdictionDetermination", determinationTable,
		func(d *DataServiceEvidenceType) **JurisdictionDetermination { return &d.JurisdictionAsked }).only(V1x),
	records("EvidenceProviderClassification", conceptTable,
		func(d *DataServiceEvidenceType) *[]ClassificationConcept { return &d.ProviderQuestions }),
}

var subjectTable = []row[Subject]{
	optional("NaturalPerson", personTable, func(s *Subject) **Person { return &s.NaturalPerson }),
	optional("LegalPerson", legalPersonTable, func(s *Subject) **LegalPerson { return &s.LegalPerson }),
}

var periodTable = []row[Period]{
	date("StartDate", func(p *Period) *string { return &p.Start }).required(),
	date("EndDate", func(p *Period) *string { return &p.End }).required(),
}

var evidenceTable = []row[Evidence]{
	text("Identifier", func(e *Evidence) *string { return &e.ID }).required(),
	optional("IsAbout", subjectTable, func(e *Evidence) **Subject { return &e.About }).requiredIn(V1x),
	optional("IssuingAuthority", agentTable, func(e *Evidence) **Agent { return &e.IssuingAuthority }).requiredIn(V1x),
	optional("IsConformantTo", evidenceTypeTable, func(e *Evidence) **EvidenceType { return &e.Type }).requiredIn(V1x),
	date("IssuingDate", func(e *Evidence) *string { return &e.IssuingDate }).requiredIn(V1x),
	always("Distribution", distributionTable, func(e *Evidence) *Distribution { return &e.Distribution }),
	optional("ValidityPeriod", periodTable, func(e *Evidence) **Period { return &e.Validity }),
}
