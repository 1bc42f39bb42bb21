package validator

const (
	annexID = "urn:uuid:10000000-0000-4000-8000-000000000005"
	mainID  = "urn:uuid:10000000-0000-4000-8000-000000000002"

	humanID       = "urn:uuid:10000000-0000-4000-8000-000000000003"
	translationID = "urn:uuid:10000000-0000-4000-8000-000000000004"
)

// inMain narrows an edit to the main evidence, inAnnex to the annex.
func inMain(e edit1) edit1 { return within("8000-000000000002\">", "</rim:RegistryObject>", e) }
func inAnnex(e edit1) edit1 {
	return within(`<rim:RegistryObject xsi:type="rim:ExtrinsicObjectType" id="urn:uuid:10000000-0000-4000-8000-000000000005"`, "</rim:RegistryObject>", e)
}

// inLink narrows an edit to the association of the annex.
func inLink(e edit1) edit1 {
	return within(`<rim:RegistryObject xsi:type="rim:AssociationType" id="urn:uuid:10000000-0000-4000-8000-000000000015"`, "/>\n", e)
}

var responseDefects = []defect1{
	d("R-EDM-RESP-S001", "resp 2.0", swapAll("query:QueryResponse", "query:QueryAnswer")),
	d("R-EDM-RESP-S002", "resp 2.0", swap(nsQuery, "urn:other")),
	d("R-EDM-RESP-S003", "resp 2.0", swap(` requestId="urn:uuid:`+specimenRequestID+`"`, "")),
	d("R-EDM-RESP-S031", "resp 1.0", swap(` requestId="`+specimenRequestID+`"`, "")),
	d("R-EDM-RESP-S004", "resp 2.0", swap(`requestId="urn:uuid:`, `requestId="`)),
	d("R-EDM-RESP-S004", "resp 1.0", swap(`requestId="`, `requestId="urn:uuid:`)),
	d("R-EDM-RESP-S005", "resp 2.0", swap(` status="`+statusPrefix+`Success"`, "")).with("R-EDM-RESP-S006"),
	d("R-EDM-RESP-S032", "resp 1.0", swap(` status="`+statusPrefix+`Success"`, "")).with("R-EDM-RESP-S006"),
	d("R-EDM-RESP-S006", "resp 2.0", swap("StatusType:Success", "StatusType:PartialSuccess")),
	d("R-EDM-RESP-S007", "def 2.0", swap("<rim:RegistryObjectList/>", "")),
	d("R-EDM-RESP-S007", "resp 1.2", within("<rim:RegistryObjectList>", "</rim:RegistryObjectList>", drop)),
	d("R-EDM-RESP-S007", "resp 1.0", within("<rim:RegistryObject ", "</rim:RegistryObject>", drop)),
	d("R-EDM-RESP-S008", "resp 2.0", before("<rim:RegistryObjectList>", `<rs:Exception xsi:type="rs:TimeoutExceptionType" severity="x" message="x" code="EDM:ERR:0005"/>`)),
	d("R-EDM-RESP-S008", "resp 1.0", before("<rim:RegistryObjectList>", `<rs:Exception xsi:type="rs:TimeoutExceptionType" severity="x" message="x" code="EDM:ERR:0005"/>`)),
	d("R-EDM-RESP-S009", "resp 2.0", dropSlot("SpecificationIdentifier")),
	d("R-EDM-RESP-S010", "resp 2.0", doubleSlot("EvidenceResponseIdentifier")),
	d("R-EDM-RESP-S011", "resp 2.0", dropSlot("IssueDateTime")),
	d("R-EDM-RESP-S012", "resp 2.0", dropSlot("EvidenceProvider")),
	d("R-EDM-RESP-S013", "resp 2.0", dropSlot("EvidenceRequester")),
	d("R-EDM-RESP-S014", "def 2.0", swap("StatusType:Unavailable", "StatusType:Success")),
	d("R-EDM-RESP-S014", "def 1.0", doubleSlot("ResponseAvailableDateTime")).with("R-EDM-RESP-S045"),
	d("R-EDM-RESP-S045", "def 2.0", dropSlot("ResponseAvailableDateTime")),
	d("R-EDM-RESP-S016", "resp 2.0", before("<rim:RegistryObjectList>", textSlot("Extra", "x"))),
	d("R-EDM-RESP-S016", "def 1.0", swapAll("rim:Slot ", "rim:Slit "), swapAll("</rim:Slot>", "</rim:Slit>")).with("R-EDM-RESP-S009 R-EDM-RESP-S010 R-EDM-RESP-S011 R-EDM-RESP-S012 R-EDM-RESP-S013 R-EDM-RESP-S045 STR-01"),
	d("R-EDM-RESP-S017", "resp 2.0", inside("SpecificationIdentifier", spoilType)),
	d("R-EDM-RESP-S018", "resp 2.0", inside("EvidenceResponseIdentifier", spoilType)),
	d("R-EDM-RESP-S019", "resp 2.0", inside("IssueDateTime", spoilType)),
	d("R-EDM-RESP-S020", "resp 2.0", inside("EvidenceProvider", spoilType)),
	d("R-EDM-RESP-S021", "resp 2.0", inside("EvidenceProvider", swap("rim:AnyValueType", "rim:OtherValueType"))),
	d("R-EDM-RESP-S022", "resp 2.0", inside("EvidenceRequester", spoilType)),
	d("R-EDM-RESP-S023", "def 2.0", inside("ResponseAvailableDateTime", spoilType)),
	d("R-EDM-RESP-S024", "resp 2.0", inside("EvidenceMetadata", spoilType)),
	d("R-EDM-RESP-S025", "resp 2.0", inside("EvidenceProvider", before("  </rim:SlotValue>", `<rim:Element xsi:type="rim:AnyValueType"><sdg:Other/></rim:Element>`))),
	d("R-EDM-RESP-S026", "resp 2.0", inside("EvidenceProvider", before("      <sdg:Classification>EP", "<sdg:Jurisdiction><sdg:AdminUnitLevel1>FI</sdg:AdminUnitLevel1></sdg:Jurisdiction>"))),
	d("R-EDM-RESP-S026", "resp 1.0", inside("EvidenceProvider", swap("    <rim:Element ", "<sdg:Agent><sdg:Identifier>x</sdg:Identifier></sdg:Agent>    <rim:Element "))).with("STR-01"),
	d("R-EDM-RESP-S027", "resp 2.0", inside("EvidenceRequester", rename("sdg:Agent", "sdg:Other"))),
	d("R-EDM-RESP-S028", "resp 2.0", inside("EvidenceRequester", before("    </sdg:Agent>", "<sdg:Classification>ER</sdg:Classification>"))),
	d("R-EDM-RESP-S028", "resp 1.0", inside("EvidenceRequester", dropTag("sdg:Name"))).with("STR-02"),
	d("R-EDM-RESP-S015", "resp 2.0", inAnnex(doubleSlot("EvidenceMetadata"))),
	d("R-EDM-RESP-S015", "resp 1.2", doubleSlot("EvidenceMetadata")),
	d("R-EDM-RESP-S015", "resp 1.0", dropSlot("EvidenceMetadata")),
	d("R-EDM-RESP-S029", "resp 2.0", inAnnex(rename("sdg:Evidence", "sdg:Other"))),
	d("R-EDM-RESP-S030", "resp 2.0", after(`matriculation examination (sample)</sdg:Description>`, "<sdg:Jurisdiction><sdg:AdminUnitLevel1>FI</sdg:AdminUnitLevel1></sdg:Jurisdiction>")),
	d("R-EDM-RESP-S030", "resp 1.2", after(`matriculation examination (sample)</sdg:Description>`, "<sdg:Jurisdiction><sdg:AdminUnitLevel1>FI</sdg:AdminUnitLevel1></sdg:Jurisdiction>")),
	d("R-EDM-RESP-S030", "resp 1.0", before("<rim:RegistryObjectList>", anySlot("EvidenceMetadata", "<sdg:Evidence><sdg:IsConformantTo/></sdg:Evidence>"))).with("STR-02"),
	d("R-EDM-RESP-S033", "resp 2.0", inAnnex(within("<rim:RepositoryItemRef", "/>", drop))),
	d("R-EDM-RESP-S033", "resp 1.2", within("<rim:RepositoryItemRef", "/>", drop)),
	d("R-EDM-RESP-S034", "resp 2.0", inAnnex(within("xlink:href", `example"`, drop))),
	d("R-EDM-RESP-S034", "resp 1.2", within("xlink:href", `example"`, drop)),
	d("R-EDM-RESP-S035", "resp 2.0", inAnnex(swap(` xlink:title="Annex"`, ""))),
	d("R-EDM-RESP-S035", "resp 1.2", swap(` xlink:title="Certificate"`, "")),
	d("R-EDM-RESP-S036", "resp 2.0", swap(` id="urn:uuid:10000000-0000-4000-8000-000000000001"`, "")),
	d("R-EDM-RESP-S036", "resp 1.2", swap(` id="urn:uuid:10000000-0000-4000-8000-000000000002"`, "")),
	d("R-EDM-RESP-S037", "resp 2.0", swap(` id="urn:uuid:10000000-0000-4000-8000-000000000001"`, ` id="package-1"`)),
	d("R-EDM-RESP-S041", "resp 2.0", after("<sdg:NaturalPerson>", "<sdg:LevelOfAssurance>High</sdg:LevelOfAssurance>")),
	d("R-EDM-RESP-S041", "resp 1.2", after("<sdg:NaturalPerson>", "<sdg:LevelOfAssurance>High</sdg:LevelOfAssurance>")),
	d("R-EDM-RESP-S042", "rorg 2.0", after("<sdg:LegalPerson>", "<sdg:LevelOfAssurance>High</sdg:LevelOfAssurance>")),
	d("R-EDM-RESP-S042", "rorg 1.2", after("<sdg:LegalPerson>", "<sdg:LevelOfAssurance>High</sdg:LevelOfAssurance>")),
	d("R-EDM-RESP-S046", "resp 2.0", within("<rim:RegistryObjectList>\n<rim:RegistryObject xsi:type=\"rim:ExtrinsicObjectType\"", "</rim:RegistryObjectList>", drop)),
	d("R-EDM-RESP-S047", "resp 2.0", swap(` classificationNode="MainEvidence"`, ` classificationNode="Main"`)).with("R-EDM-RESP-S049 R-EDM-RESP-S056 R-EDM-RESP-S057 R-EDM-RESP-S058"),
	d("R-EDM-RESP-S048", "resp 2.0", inAnnex(within("<rim:Classification", "/>", drop))).with("R-EDM-RESP-S052"),
	d("R-EDM-RESP-S049", "resp 2.0", inLast("<rim:Classification", swap(`"Annex"`, `"Appendix"`))).with("R-EDM-RESP-S052"),
	d("R-EDM-RESP-S050", "resp 2.0", inLink(drop)),
	d("R-EDM-RESP-S051", "resp 2.0", inLink(swap(` sourceObject="`+annexID+`"`, ""))).with("R-EDM-RESP-S050"),
	d("R-EDM-RESP-S055", "resp 2.0", inLink(swap(` targetObject="`+mainID+`"`, ""))),
	d("R-EDM-RESP-S052", "resp 2.0", addLink("Annex", mainID, mainID)),
	d("R-EDM-RESP-S053", "resp 2.0", addLink("HumanReadableVersion", mainID, mainID)),
	d("R-EDM-RESP-S054", "resp 2.0", addLink("Translation", mainID, mainID)),
	d("R-EDM-RESP-S056", "resp 2.0", addLink("Annex", annexID, annexID)),
	d("R-EDM-RESP-S057", "resp 2.0", addLink("HumanReadableVersion", humanID, annexID)),
	d("R-EDM-RESP-S058", "resp 2.0", addLink("Translation", translationID, annexID)),
	d("R-EDM-RESP-S059", "resp 2.0", addLink("RelatedTo", annexID, mainID)),
	d("R-EDM-RESP-S060", "resp 2.0", addLink("RelatedTo", translationID, mainID)),
	d("R-EDM-RESP-S061", "resp 2.0", addLink("RelatedTo", humanID, mainID)),
	d("R-EDM-RESP-S062", "resp 2.0", dropTag("sdg:IssuingDate")),
	d("R-EDM-RESP-S063", "resp 2.0", inAnnex(before("      <sdg:Distribution>", "<sdg:IssuingDate>2020-05-30</sdg:IssuingDate>"))),
	d("R-EDM-RESP-S065", "resp 2.0", swap("urn:uuid:30000000", "30000000")),
	d("H-20", "resp 2.0", after("<rim:RegistryObjectList>\n<rim:RegistryObject xsi:type=\"rim:RegistryPackageType\" id=\"urn:uuid:10000000-0000-4000-8000-000000000001\">\n<rim:RegistryObjectList>\n", packaged("07", "MainEvidence", secondMain, "main0002"))),
	d("H-21", "resp 2.0", inMain(dropTag("sdg:ConformsTo")), swap(`classificationNode="HumanReadableVersion"`, `classificationNode="Annex"`), swap(associationPrefix+"HumanReadableVersion", associationPrefix+"Annex")).with("R-EDM-RESP-C044"),
	d("R-EDM-RESP-S066", "resp 2.0", swap(`xsi:type="rim:RegistryPackageType"`, `xsi:type="PackageType"`)),

	d("R-EDM-RESP-C002", "resp 2.0", inside("SpecificationIdentifier", swap("v2.0", "v3.0"))),
	d("R-EDM-RESP-C003", "resp 2.0", inside("EvidenceResponseIdentifier", swap(">c0ffee00", ">urn:uuid:c0ffee00"))),
	d("R-EDM-RESP-C004", "resp 2.0", inside("IssueDateTime", swap("T09", " 09"))),
	d("R-EDM-RESP-C005", "def 2.0", inside("ResponseAvailableDateTime", swap("T08:00:00.000Z", ""))),
	d("R-EDM-RESP-C006", "resp 2.0", inside("EvidenceProvider", swap(` schemeID="urn:cef.eu:names:identifier:EAS:0212"`, ""))),
	d("R-EDM-RESP-C007", "resp 2.0", inside("EvidenceProvider", swap("EAS:0212", "EAS:212"))),
	d("R-EDM-RESP-C007", "resp 1.0", inside("EvidenceProvider", swap("EAS:0212", "EAS:212"))),
	d("R-EDM-RESP-C008", "resp 2.0", inside("EvidenceProvider", setTag("sdg:AdminUnitLevel1", "FIN"))),
	d("R-EDM-RESP-C009", "resp 2.0", inside("EvidenceProvider", after("</sdg:AdminUnitLevel1>", "<sdg:AdminUnitLevel2>FI1B11</sdg:AdminUnitLevel2>"))),
	d("R-EDM-RESP-C010", "resp 2.0", inside("EvidenceProvider", swap("<sdg:Classification>IP</sdg:Classification>", ""))),
	d("R-EDM-RESP-C011", "resp 2.0", inside("EvidenceProvider", swap(">IP<", ">ERRP<"))),
	d("R-EDM-RESP-C012", "resp 2.0", inside("EvidenceRequester", swap(` schemeID="urn:cef.eu:names:identifier:EAS:0190"`, ""))),
	d("R-EDM-RESP-C013", "resp 2.0", inside("EvidenceRequester", swap("EAS:0190", "EAS:9901"))),
	d("R-EDM-RESP-C013", "resp 1.0", inside("EvidenceRequester", swap("EAS:0190", "EAS:XX"))),
	d("R-EDM-RESP-C046", "resp 2.0", inside("EvidenceProvider", swap(">EP<", ">IP<"))),
	d("R-EDM-RESP-C047", "resp 2.0", inside("EvidenceProvider", dropTag("sdg:Address"))),
	d("R-EDM-RESP-C042", "resp 2.0", swap("cid:main0001@", "cid:main0001.")),
	d("R-EDM-RESP-C049", "resp 2.0", swap(">Secondary school certificate (sample)<", ">S<")),
	d("R-EDM-RESP-C015", "resp 2.0", swap(">20000000-", ">urn:uuid:20000000-")),
	d("R-EDM-RESP-C015", "resp 1.2", swap(">20000000-", ">urn:uuid:20000000-")),
	d("R-EDM-RESP-C016", "resp 2.0", setTag("sdg:IssuingDate", "30.05.2020")),
	d("R-EDM-RESP-C016", "resp 1.2", setTag("sdg:IssuingDate", "30.05.2020")),
	d("R-EDM-RESP-C017", "resp 2.0", swap(">"+specimenType, "> "+specimenType)),
	d("R-EDM-RESP-C017", "resp 1.2", swap(">"+specimenType, "> "+specimenType)),
	d("R-EDM-RESP-C018", "resp 2.0", swap(`<sdg:Title lang="EN"`, `<sdg:Title lang="en"`)),
	d("R-EDM-RESP-C018", "resp 1.2", swap(`<sdg:Title lang="EN"`, `<sdg:Title lang="en"`)),
	d("R-EDM-RESP-C019", "resp 2.0", swap(`<sdg:Title lang="EN"`, `<sdg:Title`)),
	d("R-EDM-RESP-C019", "resp 1.2", swap(`<sdg:Title lang="EN"`, `<sdg:Title`)),
	d("R-EDM-RESP-C020", "resp 2.0", swap(`<sdg:Description lang="EN"`, `<sdg:Description lang="en"`)),
	d("R-EDM-RESP-C020", "resp 1.2", swap(`<sdg:Description lang="EN"`, `<sdg:Description lang="en"`)),
	d("R-EDM-RESP-C021", "resp 2.0", swap(`<sdg:Description lang="EN"`, `<sdg:Description`)),
	d("R-EDM-RESP-C021", "resp 1.2", swap(`<sdg:Description lang="EN"`, `<sdg:Description`)),
	d("R-EDM-RESP-C022", "resp 2.0", swap("<sdg:ConformsTo>https://sr.oots.tech.ec.", "<sdg:ConformsTo>https://sr.oots.tech.")),
	d("R-EDM-RESP-C022", "resp 1.2", swap("<sdg:ConformsTo>https://sr.oots.tech.ec.", "<sdg:ConformsTo>https://sr.oots.tech.")),
	d("R-EDM-RESP-C023", "resp 2.0", inAnnex(setTag("sdg:Format", "text/plain"))),
	d("R-EDM-RESP-C023", "resp 1.2", setTag("sdg:Format", "text/xml")),
	d("R-EDM-RESP-C026", "resp 2.0", setTag("sdg:Language", "fi")),
	d("R-EDM-RESP-C026", "resp 1.2", setTag("sdg:Language", "fi")),
	d("R-EDM-RESP-C027", "resp 2.0", within("<sdg:NaturalPerson>", "</sdg:NaturalPerson>", dropTag("sdg:Identifier"))),
	d("R-EDM-RESP-C027", "resp 1.2", within("<sdg:NaturalPerson>", "</sdg:NaturalPerson>", dropTag("sdg:Identifier"))),
	d("R-EDM-RESP-C028", "resp 2.0", swap(">FI/NL/SPECIMEN", ">SPECIMEN")),
	d("R-EDM-RESP-C028", "resp 1.2", swap(">FI/NL/SPECIMEN", ">SPECIMEN")),
	d("R-EDM-RESP-C030", "resp 2.0", swap(` schemeID="eidas"`, "")),
	d("R-EDM-RESP-C030", "resp 1.2", swap(` schemeID="eidas"`, "")),
	d("R-EDM-RESP-C031", "resp 2.0", swap(`"eidas"`, `"eIDAS"`)),
	d("R-EDM-RESP-C031", "resp 1.2", swap(`"eidas"`, `"eIDAS"`)),
	d("R-EDM-RESP-C032", "resp 2.0", setTag("sdg:DateOfBirth", "2001")),
	d("R-EDM-RESP-C032", "resp 1.2", setTag("sdg:DateOfBirth", "2001")),
	d("R-EDM-RESP-C033", "rorg 2.0", dropTag("sdg:LegalPersonIdentifier")),
	d("R-EDM-RESP-C033", "rorg 1.2", dropTag("sdg:LegalPersonIdentifier")),
	d("R-EDM-RESP-C035", "rorg 2.0", setTag("sdg:LegalPersonIdentifier", "12345678")),
	d("R-EDM-RESP-C035", "rorg 1.2", setTag("sdg:LegalPersonIdentifier", "12345678")),
	d("R-EDM-RESP-C036", "rorg 2.0", swap(` schemeID="eidas"`, "")),
	d("R-EDM-RESP-C036", "rorg 1.2", swap(` schemeID="eidas"`, "")),
	d("R-EDM-RESP-C037", "rorg 2.0", swap(`"eidas"`, `"VAT"`)),
	d("R-EDM-RESP-C037", "rorg 1.2", swap(`"eidas"`, `"VAT"`)),
	d("R-EDM-RESP-C038", "resp 2.0", within("<sdg:IssuingAuthority>", "</sdg:IssuingAuthority>", swap(` schemeID="urn:cef.eu:names:identifier:EAS:0212"`, ""))),
	d("R-EDM-RESP-C038", "resp 1.2", within("<sdg:IssuingAuthority>", "</sdg:IssuingAuthority>", swap(` schemeID="urn:cef.eu:names:identifier:EAS:0212"`, ""))),
	d("R-EDM-RESP-C039", "resp 2.0", within("<sdg:IssuingAuthority>", "</sdg:IssuingAuthority>", swap("EAS:0212", "EAS:X"))),
	d("R-EDM-RESP-C039", "resp 1.2", within("<sdg:IssuingAuthority>", "</sdg:IssuingAuthority>", swap("EAS:0212", "EAS:X"))),
	d("R-EDM-RESP-C039", "resp 1.0", within("<sdg:IssuingAuthority>", "</sdg:IssuingAuthority>", swap("EAS:0212", "EAS:X"))),
	d("R-EDM-RESP-C040", "resp 2.0", setTag("sdg:StartDate", "2020")),
	d("R-EDM-RESP-C040", "resp 1.2", setTag("sdg:StartDate", "2020")),
	d("R-EDM-RESP-C041", "resp 2.0", setTag("sdg:EndDate", "31/12/2099")),
	d("R-EDM-RESP-C041", "resp 1.2", setTag("sdg:EndDate", "31/12/2099")),
	d("R-EDM-RESP-C043", "resp 1.2", swap("<sdg:Transformation>https", "<sdg:Transformation>http")),
	d("R-EDM-RESP-C044", "resp 1.2", dropTag("sdg:ConformsTo"), dropTag("sdg:Transformation")),
	d("R-EDM-RESP-C044", "resp 2.0", dropTag("sdg:ConformsTo")),
	d("R-EDM-RESP-C048", "resp 1.2", dropTag("sdg:ConformsTo"), setTag("sdg:Format", "application/pdf")),
	d("R-EDM-RESP-C050", "resp 2.0", inMain(setTag("sdg:Format", "application/pdf"))),
	d("R-EDM-RESP-C050", "resp 1.2", setTag("sdg:Format", "application/pdf")),
	d("R-EDM-RESP-C055", "resp 1.2", swap("<sdg:Transformation>https://sr.", "<sdg:Transformation>https://sr.acc.")),
	d("R-EDM-RESP-C058", "resp 2.0", inAnnex(dropTag("sdg:Format"))),
}

// secondMain is the metadata of one more main evidence.
var secondMain = anySlot("EvidenceMetadata", `<sdg:Evidence>
      <sdg:Identifier>20000000-0000-4000-8000-000000000007</sdg:Identifier>
      <sdg:IsAbout><sdg:LegalPerson><sdg:LegalPersonIdentifier schemeID="eidas">FI/NL/SPECIMEN-ORG-1</sdg:LegalPersonIdentifier><sdg:LegalName>Specimen Ltd</sdg:LegalName></sdg:LegalPerson></sdg:IsAbout>
      <sdg:IssuingAuthority><sdg:Identifier schemeID="urn:cef.eu:names:identifier:EAS:0212">0000000-2</sdg:Identifier><sdg:Name lang="EN">Sample Upper Secondary School</sdg:Name></sdg:IssuingAuthority>
      <sdg:IsConformantTo><sdg:EvidenceTypeClassification>`+specimenType+`</sdg:EvidenceTypeClassification><sdg:Title lang="EN">Certificate</sdg:Title></sdg:IsConformantTo>
      <sdg:IssuingDate>2020-05-30</sdg:IssuingDate>
      <sdg:Distribution><sdg:Format>application/pdf</sdg:Format></sdg:Distribution>
    </sdg:Evidence>
`)

// addLink adds an association of that type between two objects of the package.
func addLink(kind, source, target string) edit1 {
	return before("</rim:RegistryObjectList>\n</rim:RegistryObject>\n</rim:RegistryObjectList>", `<rim:RegistryObject xsi:type="rim:AssociationType" id="urn:uuid:10000000-0000-4000-8000-000000000099" type="`+associationPrefix+kind+`" sourceObject="`+source+`" targetObject="`+target+"\"/>\n")
}

// inLast narrows an edit to the annex's element that begins so.
func inLast(mark string, e edit1) edit1 { return inAnnex(within(mark, "/>", e)) }
