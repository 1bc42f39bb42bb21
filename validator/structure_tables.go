package validator

// structures are the rows that describe the messages of a line; later maps
// replace rows of earlier ones.
func structures(l Lines) []Structure {
	switch l {
	case V10:
		return []Structure{regrepStructure, ebmsStructure, sdgStructure, sdgStructure1x, sdgStructure10}
	case V20:
		return []Structure{regrepStructure, ebmsStructure, sdgStructure, sdgStructure20}
	}
	return []Structure{regrepStructure, ebmsStructure, sdgStructure, sdgStructure1x}
}

// structureCites names the schema behind a structure finding.
func structureCites(k Kinds) string {
	if k == EBMSHeader {
		return "ebMS 3.0 header schema; TDD 4.7"
	}
	return "RegRep 4.0 schema, sdg schema; TDD 4.5"
}

// regrepStructure is the RegRep 4.0 envelope as the messages use it. What a
// published rule asks for (ids, slot values, titles) is optional here.
var regrepStructure = Structure{
	"query:QueryRequest":               "@id @comment? @federated? @federation? @format? @xml:lang? @startIndex? @maxResults? @depth? @matchOlderVersions? rim:Slot* query:ResponseOption query:Query",
	"query:ResponseOption":             "@returnType? @returnComposedObjects?",
	"query:Query":                      "@queryDefinition? rim:Slot*",
	"query:QueryResponse":              "@requestId? @status? @startIndex? @totalResultCount? rim:Slot* rs:Exception* rim:RegistryObjectList? rim:ObjectRefList?",
	"rs:RegistryResponse":              "@requestId? @status? rim:Slot* rs:Exception* rim:RegistryObjectList? rim:ObjectRefList?",
	"rs:Exception":                     "@code? @detail? @message? @severity? rim:Slot*",
	"lcm:SubmitObjectsRequest":         "@id? @comment? @mode? @checkReferences? rim:Slot* rim:RegistryObjectList?",
	"rim:ObjectRefList":                "#any",
	"rim:Slot":                         "@name @type? SlotValue*",
	"rim:SlotValue":                    "#any",
	"rim:Element":                      "#any",
	"rim:StringValueType":              "Value:Text?",
	"rim:DateTimeValueType":            "Value:Moment?",
	"rim:BooleanValueType":             "Value:Truth?",
	"rim:InternationalStringValueType": "Value:Texts?",
	"rim:AnyValueType":                 "#sdg",
	"rim:CollectionValueType":          "@collectionType? Element*",
	"rim:Text":                         "$longtext",
	"rim:Moment":                       "$realdatetime",
	"rim:Truth":                        "$boolean",
	"rim:Texts":                        "LocalizedString*",
	"rim:LocalizedString":              "@xml:lang? @value",
	"rim:RegistryObjectList":           "RegistryObject*",
	"rim:RegistryObject":               "@id? @lid? @objectType? @owner? @status? Slot* Name:Texts? Description:Texts? VersionInfo? Classification* ExternalIdentifier* ExternalLink* ContentVersionInfo? RepositoryItemRef? RegistryObjectList?",
	"rim:RegistryPackageType":          "@id? @lid? @objectType? @owner? @status? Slot* Name:Texts? Description:Texts? VersionInfo? Classification* ExternalIdentifier* ExternalLink* RegistryObjectList*",
	"rim:ExtrinsicObjectType":          "@id? @lid? @objectType? @owner? @status? @mimeType? Slot* Name:Texts? Description:Texts? VersionInfo? Classification* ExternalIdentifier* ExternalLink* ContentVersionInfo? RepositoryItemRef?",
	"rim:AssociationType":              "@id? @lid? @objectType? @owner? @status? @type @sourceObject? @targetObject? Slot* Name:Texts? Description:Texts? VersionInfo? Classification* ExternalIdentifier* ExternalLink*",
	"rim:VersionInfo":                  "#any",
	"rim:ContentVersionInfo":           "#any",
	"rim:ExternalIdentifier":           "#any",
	"rim:ExternalLink":                 "#any",
	"rim:Classification":               "@id? @lid? @objectType? @owner? @status? @classificationScheme? @classifiedObject? @classificationNode? @nodeRepresentation? Slot* Name:Texts? Description:Texts?",
	"rim:RepositoryItemRef":            "@xlink:href? @xlink:title? @xlink:type? @xlink:role? @xlink:arcrole? @xlink:show? @xlink:actuate?",
}

// ebmsStructure is the part of the ebMS 3.0 header that messages of the system
// use. Other children of a SOAP header, signatures among them, are not looked at.
var ebmsStructure = Structure{
	"S12:Envelope":         "#any",
	"eb:Messaging":         "@id? @S12:mustUnderstand? @S12:role? @S12:relay? UserMessage* SignalMessage*",
	"eb:SignalMessage":     "#any",
	"eb:UserMessage":       "@mpc? MessageInfo PartyInfo CollaborationInfo MessageProperties? PayloadInfo?",
	"eb:MessageInfo":       "Timestamp MessageId RefToMessageId?",
	"eb:PartyInfo":         "From:Party To:Party",
	"eb:Party":             "PartyId+ Role",
	"eb:PartyId":           "@type? $string",
	"eb:CollaborationInfo": "AgreementRef? Service Action ConversationId",
	"eb:AgreementRef":      "@type? @pmode? $string",
	"eb:Service":           "@type? $string",
	"eb:MessageProperties": "Property+",
	"eb:Property":          "@name @type? $string",
	"eb:PayloadInfo":       "PartInfo+",
	"eb:PartInfo":          "@href? Schema? Description? PartProperties?",
	"eb:Schema":            "#any",
	"eb:Description":       "#any",
	"eb:PartProperties":    "Property+",
}

// sdgStructure is the vocabulary of evidence and directories as all lines have
// it (SDG Generic Metadata Profile); the maps after it change rows for a line.
var sdgStructure = Structure{
	"sdg:Identifier":            "@schemeID? $string",
	"sdg:LegalPersonIdentifier": "@schemeID? $string",
	"sdg:Name":                  "@lang? $string",
	"sdg:Title":                 "@lang? $string",
	"sdg:Description":           "@lang? $string",
	"sdg:MatchDescription":      "@lang? $string",
	"sdg:JurisdictionContext":   "@lang? $string",
	"sdg:Note":                  "@lang? $string",
	"sdg:Agent":                 "Identifier Name+ Address? Jurisdiction? Classification?",
	"sdg:Address":               "FullAddress? LocatorDesignator? PostCode? PostCityName? Thoroughfare? AdminUnitLevel1* AdminUnitLevel2?",
	"sdg:Jurisdiction":          "AdminUnitLevel1 AdminUnitLevel2? AdminUnitLevel3? AdditionalJurisdictionClassification*",
	"sdg:AdditionalJurisdictionClassification":      "@listID? $string",
	"sdg:Requirement":                               "#all Identifier Name+ Description* ReferenceFramework* EvidenceTypeList*",
	"sdg:ReferenceFramework":                        "Identifier Title* Description* RelatedTo* Jurisdiction*",
	"sdg:RelatedTo":                                 "Identifier Title* Description* RelatedTo* Jurisdiction?",
	"sdg:EvidenceTypeList":                          "#all Identifier Name* MatchType? MatchDescription* EvidenceType* Jurisdiction?",
	"sdg:EvidenceType":                              "EvidenceTypeClassification Title+ Description* Jurisdiction* Distribution* StructuredEvidenceTypeDistribution*",
	"sdg:StructuredEvidenceTypeDistribution":        "#any",
	"sdg:IsConformantTo":                            "EvidenceTypeClassification Title+ Description* Jurisdiction* Distribution*",
	"sdg:DataServiceEvidenceType":                   "Identifier? EvidenceTypeClassification Title+ Description* DistributedAs* AccessService* AuthenticationLevelOfAssurance? Note* EvidenceProviderJurisdictionDetermination? EvidenceProviderClassification*",
	"sdg:EvidenceProviderJurisdictionDetermination": "JurisdictionContextId JurisdictionContext+ JurisdictionLevel",
	"sdg:AccessService":                             "Identifier Name* ConformsTo+ Publisher*",
	"sdg:Publisher":                                 "Identifier Name+ Description* Address? Jurisdiction* ClassificationConcept*",
	"sdg:EvidenceProvider":                          "Identifier Name+ Description* Address? Jurisdiction* ClassificationConcept*",
	"sdg:ClassificationConcept":                     "Identifier Type? ValueExpression? Description* SupportedValue*",
	"sdg:EvidenceProviderClassification":            "Identifier Type? ValueExpression? Description* SupportedValue*",
	"sdg:SupportedValue":                            "StringValue|DateValue|BooleanValue*",
	"sdg:BooleanValue":                              "$boolean",
	"sdg:DateValue":                                 "$date",
	"sdg:LegalPerson":                               "LevelOfAssurance? Identifier* LegalPersonIdentifier? LegalName RegisteredAddress:Address? LegalPhoneNumber? LegalEmailAddress? SectorSpecificAttribute*",
	"sdg:SectorSpecificAttribute":                   "AttributeName AttributeURI AttributeValue",
	"sdg:DateOfBirth":                               "$realdate",
	"sdg:IssuingDate":                               "$realdate",
	"sdg:StartDate":                                 "$realdate",
	"sdg:EndDate":                                   "$realdate",
	"sdg:ValidityPeriod":                            "StartDate EndDate",
	"sdg:IsAbout":                                   "NaturalPerson:Person|LegalPerson",
	"sdg:IssuingAuthority":                          "Identifier Name+ Address? Jurisdiction? Classification?",
	"sdg:Person":                                    "LevelOfAssurance? Identifier? FamilyName GivenName DateOfBirth BirthName? PlaceOfBirth? CurrentAddress:Address? Gender? Nationality? CountryOfBirth? TownOfBirth? CountryOfResidence? PhoneNumber? EmailAddress? SectorSpecificAttribute*",
}

// sdgStructure20: line 2.0 leaves the metadata of evidence to the rules, moves
// the language into each distribution and drops Transformation.
var sdgStructure20 = Structure{
	"sdg:DistributedAs": "Format+ Language* ConformsTo? AssociatedDocumentRequest*",
	"sdg:Distribution":  "Format* Language* ConformsTo?",
	"sdg:Evidence":      "Identifier? IsAbout? IssuingAuthority? IsConformantTo? IssuingDate? Distribution? ValidityPeriod?",
}

// sdgStructure1x is that of the lines before 2.0.
var sdgStructure1x = Structure{
	"sdg:DistributedAs": "Format ConformsTo* Transformation?",
	"sdg:Distribution":  "Format Language* ConformsTo? Transformation?",
	"sdg:Evidence":      "Identifier IsAbout IssuingAuthority IsConformantTo IssuingDate Distribution ValidityPeriod?",
	"sdg:Gender":        "$gender",
}

// sdgStructure10: the first line knew fewer facts about a person, and no rules
// on what later lines let the rules say.
var sdgStructure10 = Structure{
	"rim:Slot":             "@name @type? SlotValue?",
	"sdg:Address":          "FullAddress? LocatorDesignator? PostCode? PostCityName? Thoroughfare? AdminUnitLevel1 AdminUnitLevel2?",
	"sdg:DistributedAs":    "Format ConformsTo? Transformation?",
	"sdg:Requirement":      "Identifier Name+ ReferenceFramework* EvidenceTypeList*",
	"sdg:EvidenceTypeList": "Identifier Name* EvidenceType*",
	"sdg:Person":           "LevelOfAssurance? Identifier? FamilyName GivenName DateOfBirth BirthName? PlaceOfBirth? CurrentAddress:Address? Gender? SectorSpecificAttribute*",
	"sdg:LegalPerson":      "LevelOfAssurance? Identifier* LegalPersonIdentifier? LegalName RegisteredAddress:Address? SectorSpecificAttribute*",
}
