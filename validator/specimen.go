package validator

import "strings"

// Specimen is a sound message with invented content: to start from, to try the
// validator with, and for tests to spoil.
type Specimen struct {
	Name string // "evidence request of a natural person"
	Kind Kinds
	Line Lines
	XML  string
}

// Specimens lists a sound message of every kind of the Exchange Data Model on
// lines 1.0, 1.2 and 2.0.
func Specimens() []Specimen {
	var out []Specimen
	for _, l := range []Lines{V20, V12, V10} {
		s := specimens{l}
		out = append(out,
			Specimen{"request for a natural person", EDMRequest, l, s.request(s.naturalPerson())},
			Specimen{"request for an organisation", EDMRequest, l, s.request(s.organisation())},
			Specimen{"response with evidence", EDMResponse, l, s.response(s.aboutPerson())},
			Specimen{"response about an organisation", EDMResponse, l, s.response(s.aboutOrganisation())},
			Specimen{"deferred response", EDMResponse, l, s.deferred()},
			Specimen{"preview required", EDMError, l, s.preview()},
			Specimen{"error", EDMError, l, s.notFound()},
		)
		if l != V10 {
			out = append(out,
				Specimen{"header of a request", EBMSHeader, l, s.header("ExecuteQueryRequest")},
				Specimen{"header of a response", EBMSHeader, l, s.header("ExecuteQueryResponse")},
				Specimen{"header of an error", EBMSHeader, l, s.header("ExceptionResponse")},
			)
		}
	}
	return out
}

// specimens writes the messages of one line.
type specimens struct{ line Lines }

func (s specimens) is20() bool { return s.line == V20 }

// Identifiers that belong together across the specimens.
const (
	specimenRequestID  = "3b0c7a52-8d3e-4f0a-9a51-1c2d3e4f5a60"
	specimenType       = "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/FI/1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f9"
	specimenModel      = "https://sr.oots.tech.ec.europa.eu/datamodels/sample-secondary-education-1.0.0"
	specimenPreview    = "https://preview.sample.example/v2/6d5c4b3a-2918-4706-95f4-e3d2c1b0a998"
	specimenReturn     = "https://portal.sample.example/oots/return/1f6f2c0a-7f54-4f0e-8a4b-0d9c8b7a6f5e"
	specimenNamespaces = ` xmlns:query="` + nsQuery + `" xmlns:rim="` + nsRIM + `" xmlns:rs="` + nsRS + `" xmlns:sdg="` + nsSDG + `" xmlns:xlink="` + nsXLink + `" xmlns:xsi="` + nsXSI + `"`
)

// urn writes the prefix of identifiers, which line 1.0 did not have.
func (s specimens) urn(id string) string {
	if s.line == V10 {
		return id
	}
	return "urn:uuid:" + id
}

func (s specimens) specification() string { return specification(EDM, s.line) }

// Slots of each value type.
func textSlot(name, value string) string  { return valueSlot(name, "String", value) }
func timeSlot(name, value string) string  { return valueSlot(name, "DateTime", value) }
func truthSlot(name, value string) string { return valueSlot(name, "Boolean", value) }

func valueSlot(name, kind, value string) string {
	return "<rim:Slot name=\"" + name + "\">\n  <rim:SlotValue xsi:type=\"rim:" + kind + "ValueType\"><rim:Value>" + value + "</rim:Value></rim:SlotValue>\n</rim:Slot>\n"
}

func anySlot(name, content string) string {
	return "<rim:Slot name=\"" + name + "\">\n  <rim:SlotValue xsi:type=\"rim:AnyValueType\">\n" + content + "  </rim:SlotValue>\n</rim:Slot>\n"
}

func setSlot(name string, elements ...string) string {
	var b strings.Builder
	b.WriteString("<rim:Slot name=\"" + name + "\">\n  <rim:SlotValue xsi:type=\"rim:CollectionValueType\" collectionType=\"" + collectionSet + "\">\n")
	for _, e := range elements {
		b.WriteString("    <rim:Element xsi:type=\"rim:AnyValueType\">\n" + e + "    </rim:Element>\n")
	}
	b.WriteString("  </rim:SlotValue>\n</rim:Slot>\n")
	return b.String()
}

func textsSlot(name string, texts ...string) string {
	return "<rim:Slot name=\"" + name + "\">\n  <rim:SlotValue xsi:type=\"rim:InternationalStringValueType\"><rim:Value>" + strings.Join(texts, "") + "</rim:Value></rim:SlotValue>\n</rim:Slot>\n"
}

func localized(lang, value string) string {
	return `<rim:LocalizedString xml:lang="` + lang + `" value="` + value + `"/>`
}

// The parties.
const (
	requesterID = `      <sdg:Identifier schemeID="urn:cef.eu:names:identifier:EAS:0190">00000099000000000001</sdg:Identifier>
      <sdg:Name lang="EN">Sample University</sdg:Name>
`
	providerID = `      <sdg:Identifier schemeID="urn:cef.eu:names:identifier:EAS:0212">0000000-1</sdg:Identifier>
      <sdg:Name lang="EN">Sample Board of Education</sdg:Name>
`
	platform = `    <sdg:Agent>
      <sdg:Identifier schemeID="urn:oasis:names:tc:ebcore:partyid-type:unregistered:NL">SAMPLE-PLATFORM-01</sdg:Identifier>
      <sdg:Name lang="EN">Sample intermediary platform</sdg:Name>
      <sdg:Address><sdg:AdminUnitLevel1>NL</sdg:AdminUnitLevel1></sdg:Address>
      <sdg:Classification>IP</sdg:Classification>
    </sdg:Agent>
`
)

func bareAgent(id string) string { return "    <sdg:Agent>\n" + id + "    </sdg:Agent>\n" }

func fullAgent(id, country, classification string) string {
	return "    <sdg:Agent>\n" + id + `      <sdg:Address>
        <sdg:FullAddress>Sample Street 1, Sampletown</sdg:FullAddress>
        <sdg:LocatorDesignator>1</sdg:LocatorDesignator>
        <sdg:PostCode>1000</sdg:PostCode>
        <sdg:PostCityName>Sampletown</sdg:PostCityName>
        <sdg:Thoroughfare>Sample Street</sdg:Thoroughfare>
        <sdg:AdminUnitLevel1>` + country + `</sdg:AdminUnitLevel1>
      </sdg:Address>
      <sdg:Classification>` + classification + `</sdg:Classification>
    </sdg:Agent>
`
}

// request is an Evidence Request that uses what its line offers: it asks a
// second time, after a preview.
func (s specimens) request(subject string) string {
	lang, procedure, preview, distributions := ` xml:lang="EN"`, textsSlot("Procedure", localized("EN", "T2")), textSlot("PreviewLocation", specimenPreview), `      <sdg:DistributedAs>
        <sdg:Format>application/xml</sdg:Format>
        <sdg:ConformsTo>`+specimenModel+`</sdg:ConformsTo>
        <sdg:Transformation>`+specimenModel+`/passed</sdg:Transformation>
      </sdg:DistributedAs>
`
	if s.is20() {
		lang, procedure = "", textSlot("Procedure", "T2")
		preview += textSlot("ReturnLocation", specimenReturn)
		distributions = `      <sdg:DistributedAs>
        <sdg:Format>application/xml</sdg:Format>
        <sdg:Language>EN</sdg:Language>
        <sdg:ConformsTo>` + specimenModel + `</sdg:ConformsTo>
        <sdg:AssociatedDocumentRequest>HumanReadableVersion</sdg:AssociatedDocumentRequest>
        <sdg:AssociatedDocumentRequest>Translation</sdg:AssociatedDocumentRequest>
      </sdg:DistributedAs>
      <sdg:DistributedAs>
        <sdg:Format>application/pdf</sdg:Format>
      </sdg:DistributedAs>
`
	}
	description := ""
	if s.line != V10 {
		description = "      <sdg:Description lang=\"EN\">It shows that secondary education was completed.</sdg:Description>\n"
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<query:QueryRequest` + specimenNamespaces + ` id="` + s.urn(specimenRequestID) + `"` + lang + `>
` + textSlot("SpecificationIdentifier", s.specification()) + timeSlot("IssueDateTime", "2026-11-02T09:15:24.000Z") + procedure + preview +
		truthSlot("PossibilityForPreview", "true") + truthSlot("ExplicitRequestGiven", "true") +
		setSlot("Requirements", `    <sdg:Requirement>
      <sdg:Identifier>https://sr.oots.tech.ec.europa.eu/requirements/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d</sdg:Identifier>
      <sdg:Name lang="EN">Proof of completed secondary education (sample)</sdg:Name>
`+description+`    </sdg:Requirement>
`) +
		setSlot("EvidenceRequester", fullAgent(requesterID, "NL", "ER"), platform) +
		anySlot("EvidenceProvider", bareAgent(providerID)) +
		setSlot("EvidenceProviderClassification", `    <sdg:EvidenceProviderClassification>
      <sdg:Identifier schemeID="https://sr.oots.tech.ec.europa.eu/codelists/FI/schoolRegions">7d9f0b1a-2c3d-4e4f-8a5b-6c7d8e9f0a1b</sdg:Identifier>
      <sdg:Type>codelist</sdg:Type>
      <sdg:ValueExpression>https://query.cs.example.org/dsd/rest/codelists/FI/schoolRegions/0001</sdg:ValueExpression>
      <sdg:Description lang="EN">In which region did you go to school?</sdg:Description>
      <sdg:SupportedValue><sdg:StringValue>R07</sdg:StringValue></sdg:SupportedValue>
    </sdg:EvidenceProviderClassification>
`) + `<query:ResponseOption returnType="LeafClassWithRepositoryItem"/>
<query:Query queryDefinition="DocumentQuery">
` + subject + s.representatives() + anySlot("EvidenceRequest", `    <sdg:DataServiceEvidenceType>
      <sdg:Identifier>5f6a7b8c-9d0e-4f1a-8b2c-3d4e5f6a7b8c</sdg:Identifier>
      <sdg:EvidenceTypeClassification>`+specimenType+`</sdg:EvidenceTypeClassification>
      <sdg:Title lang="EN">Secondary school certificate (sample)</sdg:Title>
      <sdg:Description lang="EN">Certificate of the matriculation examination (sample)</sdg:Description>
`+distributions+`    </sdg:DataServiceEvidenceType>
`) + `</query:Query>
</query:QueryRequest>
`
}

// later are facts about a person that line 1.0 did not know.
func (s specimens) later(facts string) string {
	if s.line == V10 {
		return ""
	}
	return facts
}

func (s specimens) naturalPerson() string {
	return anySlot("NaturalPerson", `    <sdg:Person>
      <sdg:LevelOfAssurance>Substantial</sdg:LevelOfAssurance>
      <sdg:Identifier schemeID="eidas">FI/NL/SPECIMEN-0001</sdg:Identifier>
      <sdg:FamilyName>Specimen</sdg:FamilyName>
      <sdg:GivenName>Testa</sdg:GivenName>
      <sdg:DateOfBirth>2001-02-03</sdg:DateOfBirth>
      <sdg:PlaceOfBirth>Sampletown</sdg:PlaceOfBirth>
      <sdg:CurrentAddress>
        <sdg:FullAddress>Sample Lane 2, Sampletown</sdg:FullAddress>
        <sdg:AdminUnitLevel1>FI</sdg:AdminUnitLevel1>
      </sdg:CurrentAddress>
      <sdg:Gender>Female</sdg:Gender>
`+s.later(`      <sdg:Nationality>FI</sdg:Nationality>
      <sdg:CountryOfBirth>FI</sdg:CountryOfBirth>
      <sdg:CountryOfResidence>NL</sdg:CountryOfResidence>
`)+`    </sdg:Person>
`)
}

func (s specimens) organisation() string {
	return anySlot("LegalPerson", `    <sdg:LegalPerson>
      <sdg:LevelOfAssurance>High</sdg:LevelOfAssurance>
      <sdg:Identifier schemeID="VAT">FI00000000</sdg:Identifier>
      <sdg:LegalPersonIdentifier schemeID="eidas">FI/NL/SPECIMEN-ORG-1</sdg:LegalPersonIdentifier>
      <sdg:LegalName>Specimen Ltd</sdg:LegalName>
      <sdg:RegisteredAddress>
        <sdg:AdminUnitLevel1>FI</sdg:AdminUnitLevel1>
      </sdg:RegisteredAddress>
    </sdg:LegalPerson>
`)
}

func (s specimens) representatives() string {
	person := anySlot("AuthorizedRepresentative", `    <sdg:Person>
      <sdg:LevelOfAssurance>High</sdg:LevelOfAssurance>
      <sdg:Identifier schemeID="eidas">FI/NL/SPECIMEN-REP-1</sdg:Identifier>
      <sdg:FamilyName>Representative</sdg:FamilyName>
      <sdg:GivenName>Samira</sdg:GivenName>
      <sdg:DateOfBirth>1980-04-05</sdg:DateOfBirth>
      <sdg:CurrentAddress>
        <sdg:AdminUnitLevel1>SE</sdg:AdminUnitLevel1>
      </sdg:CurrentAddress>
      <sdg:Gender>Male</sdg:Gender>
`+s.later(`      <sdg:Nationality>SE</sdg:Nationality>
      <sdg:CountryOfBirth>SE</sdg:CountryOfBirth>
      <sdg:CountryOfResidence>SE</sdg:CountryOfResidence>
`)+`      <sdg:SectorSpecificAttribute>
        <sdg:AttributeName>PowerOfRepresentationScope</sdg:AttributeName>
        <sdg:AttributeURI>https://sample.example/power</sdg:AttributeURI>
        <sdg:AttributeValue>T1</sdg:AttributeValue>
      </sdg:SectorSpecificAttribute>
    </sdg:Person>
`)
	if s.line == V10 {
		return person
	}
	return person + anySlot("AuthorizedRepresentativeLegalPerson", `    <sdg:LegalPerson>
      <sdg:LevelOfAssurance>Low</sdg:LevelOfAssurance>
      <sdg:Identifier schemeID="LEI">00000000000000000000</sdg:Identifier>
      <sdg:LegalPersonIdentifier schemeID="eidas">FI/NL/SPECIMEN-REP-ORG</sdg:LegalPersonIdentifier>
      <sdg:LegalName>Specimen Guardians Ltd</sdg:LegalName>
      <sdg:SectorSpecificAttribute>
        <sdg:AttributeName>PowerOfRepresentationScope</sdg:AttributeName>
        <sdg:AttributeURI>https://sample.example/power</sdg:AttributeURI>
        <sdg:AttributeValue>T1, T3</sdg:AttributeValue>
      </sdg:SectorSpecificAttribute>
    </sdg:LegalPerson>
`)
}

func (s specimens) open(status string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<query:QueryResponse` + specimenNamespaces + ` requestId="` + s.urn(specimenRequestID) + `" status="` + statusPrefix + status + `">
` + textSlot("SpecificationIdentifier", s.specification()) + textSlot("EvidenceResponseIdentifier", "c0ffee00-1111-4222-8333-444455556666")
}

func (s specimens) answering() string {
	return setSlot("EvidenceProvider", fullAgent(providerID, "FI", "EP"), strings.ReplaceAll(platform, "NL", "FI")) +
		anySlot("EvidenceRequester", bareAgent(requesterID))
}

func (s specimens) aboutPerson() string {
	return `        <sdg:NaturalPerson>
          <sdg:Identifier schemeID="eidas">FI/NL/SPECIMEN-0001</sdg:Identifier>
          <sdg:FamilyName>Specimen</sdg:FamilyName>
          <sdg:GivenName>Testa</sdg:GivenName>
          <sdg:DateOfBirth>2001-02-03</sdg:DateOfBirth>
        </sdg:NaturalPerson>
`
}

func (s specimens) aboutOrganisation() string {
	return `        <sdg:LegalPerson>
          <sdg:LegalPersonIdentifier schemeID="eidas">FI/NL/SPECIMEN-ORG-1</sdg:LegalPersonIdentifier>
          <sdg:LegalName>Specimen Ltd</sdg:LegalName>
        </sdg:LegalPerson>
`
}

// response is an Evidence Response with one certificate; from line 2.0 on in a
// package, with a human-readable version, a translation and an annex.
func (s specimens) response(about string) string {
	transformation := "          <sdg:Transformation>" + specimenModel + "/passed</sdg:Transformation>\n"
	if s.is20() {
		transformation = ""
	}
	main := anySlot("EvidenceMetadata", `    <sdg:Evidence>
      <sdg:Identifier>20000000-0000-4000-8000-000000000001</sdg:Identifier>
      <sdg:IsAbout>
`+about+`      </sdg:IsAbout>
      <sdg:IssuingAuthority>
        <sdg:Identifier schemeID="urn:cef.eu:names:identifier:EAS:0212">0000000-2</sdg:Identifier>
        <sdg:Name lang="EN">Sample Upper Secondary School</sdg:Name>
      </sdg:IssuingAuthority>
      <sdg:IsConformantTo>
        <sdg:EvidenceTypeClassification>`+specimenType+`</sdg:EvidenceTypeClassification>
        <sdg:Title lang="EN">Secondary school certificate (sample)</sdg:Title>
        <sdg:Description lang="EN">Certificate of the matriculation examination (sample)</sdg:Description>
      </sdg:IsConformantTo>
      <sdg:IssuingDate>2020-05-30</sdg:IssuingDate>
      <sdg:Distribution>
          <sdg:Format>application/xml</sdg:Format>
          <sdg:Language>FI</sdg:Language>
          <sdg:ConformsTo>`+specimenModel+`</sdg:ConformsTo>
`+transformation+`      </sdg:Distribution>
      <sdg:ValidityPeriod>
        <sdg:StartDate>2020-05-30</sdg:StartDate>
        <sdg:EndDate>2099-12-31</sdg:EndDate>
      </sdg:ValidityPeriod>
    </sdg:Evidence>
`)
	var objects string
	if s.is20() {
		objects = `<rim:RegistryObject xsi:type="rim:RegistryPackageType" id="urn:uuid:10000000-0000-4000-8000-000000000001">
<rim:RegistryObjectList>
` + packaged("02", "MainEvidence", main, "main0001") +
			supplementary("03", "HumanReadableVersion", "human0001") + supplementary("04", "Translation", "translation0001") + supplementary("05", "Annex", "annex0001") +
			association("13", "03", "HumanReadableVersion") + association("14", "04", "Translation") + association("15", "05", "Annex") + `</rim:RegistryObjectList>
</rim:RegistryObject>
`
	} else {
		objects = `<rim:RegistryObject xsi:type="rim:ExtrinsicObjectType" id="` + s.urn("10000000-0000-4000-8000-000000000002") + `">
` + main + `<rim:RepositoryItemRef xlink:href="cid:main0001@evidence.sample.example" xlink:title="Certificate"/>
</rim:RegistryObject>
`
	}
	return s.open("Success") + timeSlot("IssueDateTime", "2026-11-02T09:31:42.000Z") + s.answering() +
		"<rim:RegistryObjectList>\n" + objects + "</rim:RegistryObjectList>\n</query:QueryResponse>\n"
}

func packaged(id, node, metadata, cid string) string {
	return `<rim:RegistryObject xsi:type="rim:ExtrinsicObjectType" id="urn:uuid:10000000-0000-4000-8000-0000000000` + id + `">
` + metadata + `<rim:Classification id="urn:uuid:30000000-0000-4000-8000-0000000000` + id + `" classificationScheme="` + schemeEDM + `" classificationNode="` + node + `"/>
<rim:RepositoryItemRef xlink:href="cid:` + cid + `@evidence.sample.example" xlink:title="` + node + `"/>
</rim:RegistryObject>
`
}

func supplementary(id, node, cid string) string {
	return packaged(id, node, anySlot("EvidenceMetadata", `    <sdg:Evidence>
      <sdg:Identifier>20000000-0000-4000-8000-0000000000`+id+`</sdg:Identifier>
      <sdg:Distribution>
        <sdg:Format>application/pdf</sdg:Format>
        <sdg:Language>FI</sdg:Language>
      </sdg:Distribution>
    </sdg:Evidence>
`), cid)
}

func association(id, source, kind string) string {
	return `<rim:RegistryObject xsi:type="rim:AssociationType" id="urn:uuid:10000000-0000-4000-8000-0000000000` + id + `" type="` + associationPrefix + kind +
		`" sourceObject="urn:uuid:10000000-0000-4000-8000-0000000000` + source + `" targetObject="urn:uuid:10000000-0000-4000-8000-000000000002"/>
`
}

// deferred is a response that promises evidence for later.
func (s specimens) deferred() string {
	return s.open("Unavailable") + timeSlot("IssueDateTime", "2026-11-02T09:31:42.000Z") + timeSlot("ResponseAvailableDateTime", "2026-11-05T08:00:00.000Z") +
		s.answering() + "<rim:RegistryObjectList/>\n</query:QueryResponse>\n"
}

func (s specimens) errorParties() string {
	return anySlot("ErrorProvider", fullAgent(providerID, "FI", "ERRP")) + anySlot("EvidenceRequester", bareAgent(requesterID))
}

// preview is the Error Response that leads to the preview space.
func (s specimens) preview() string {
	method := textSlot("PreviewMethod", "GET")
	if s.is20() {
		method = ""
	}
	return s.open("Failure") + s.errorParties() + `<rs:Exception xsi:type="` + missingConsent + `" severity="` + edmPreview + `" message="Missing Authorization" code="EDM:ERR:0002" detail="The user must visit the preview space">
` + timeSlot("Timestamp", "2026-11-02T09:15:20.000Z") + textSlot("PreviewLocation", specimenPreview) +
		textsSlot("PreviewDescription", localized("EN", "Please say which certificate to share."), localized("FI", "Valitse todistus.")) + method + `</rs:Exception>
</query:QueryResponse>
`
}

// notFound is an ordinary Error Response.
func (s specimens) notFound() string {
	return s.open("Failure") + s.errorParties() + `<rs:Exception xsi:type="rs:ObjectNotFoundExceptionType" severity="` + edmError + `" message="Object not found" code="EDM:ERR:0004" detail="No unique match for the subject">
` + timeSlot("Timestamp", "2026-11-02T09:15:09.000Z") + `</rs:Exception>
</query:QueryResponse>
`
}

// header is the ebMS header of a message with that action.
func (s specimens) header(action string) string {
	from, to := "AP_NL_99", "AP_FI_99"
	sender := `<eb:Property name="originalSender" type="urn:cef.eu:names:identifier:EAS:0190">00000099000000000001</eb:Property>
      <eb:Property name="finalRecipient" type="urn:cef.eu:names:identifier:EAS:0212">0000000-1</eb:Property>`
	if action != "ExecuteQueryRequest" {
		from, to = to, from
		sender = `<eb:Property name="originalSender" type="urn:cef.eu:names:identifier:EAS:0212">0000000-1</eb:Property>
      <eb:Property name="finalRecipient" type="urn:cef.eu:names:identifier:EAS:0190">00000099000000000001</eb:Property>`
	}
	if s.is20() {
		sender += `
      <eb:Property name="ExchangeId">60000000-0000-4000-8000-000000000001</eb:Property>
      <eb:Property name="SpecificationId">oots-edm:v2.0</eb:Property>`
	}
	parts := headerPart("70000000-0000-4000-8000-000000000001@ap.sample.example", regRepType)
	if action == "ExecuteQueryResponse" {
		parts += headerPart("main0001@evidence.sample.example", "application/xml")
		if s.is20() {
			for _, id := range []string{"human0001", "translation0001", "annex0001"} {
				parts += headerPart(id+"@evidence.sample.example", "application/pdf")
			}
		}
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<eb:Messaging xmlns:eb="` + nsEB + `">
  <eb:UserMessage>
    <eb:MessageInfo>
      <eb:Timestamp>2026-11-02T09:15:01.000Z</eb:Timestamp>
      <eb:MessageId>40000000-0000-4000-8000-000000000001@ap.sample.example</eb:MessageId>
    </eb:MessageInfo>
    <eb:PartyInfo>
      <eb:From>
        <eb:PartyId type="` + partyTypeBase + `">` + from + `</eb:PartyId>
        <eb:Role>` + gatewayRole + `</eb:Role>
      </eb:From>
      <eb:To>
        <eb:PartyId type="` + partyTypeBase + `">` + to + `</eb:PartyId>
        <eb:Role>` + gatewayRole + `</eb:Role>
      </eb:To>
    </eb:PartyInfo>
    <eb:CollaborationInfo>
      <eb:Service type="` + bindingType + `">QueryManager</eb:Service>
      <eb:Action>` + action + `</eb:Action>
      <eb:ConversationId>50000000-0000-4000-8000-000000000001</eb:ConversationId>
    </eb:CollaborationInfo>
    <eb:MessageProperties>
      ` + sender + `
    </eb:MessageProperties>
    <eb:PayloadInfo>
` + parts + `    </eb:PayloadInfo>
  </eb:UserMessage>
</eb:Messaging>
`
}

func headerPart(id, mediaType string) string {
	return `      <eb:PartInfo href="cid:` + id + `">
        <eb:PartProperties><eb:Property name="MimeType">` + mediaType + `</eb:Property></eb:PartProperties>
      </eb:PartInfo>
`
}
