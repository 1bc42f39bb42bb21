package validator

// structures are the rows that describe the messages of a line; later maps
// replace rows of earlier ones.
func structures(l Lines) []Structure {
	return []Structure{regrepStructure}
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
