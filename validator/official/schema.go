package official

import (
	"context"
	"errors"
	"fmt"
	"html"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lestrrat-go/helium"
	"github.com/lestrrat-go/helium/xsd"
)

const (
	nsXSD = "http://www.w3.org/2001/XMLSchema"
	nsXML = "http://www.w3.org/XML/1998/namespace"
	nsRIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0"
)

// schemaFile is what has to be known of an XSD before any is compiled.
type schemaFile struct {
	name      string
	namespace string
	imports   map[string]string // namespace → location as written, often none
	includes  []string          // locations of xs:include and its kin
	doc       *helium.Document
}

// usual names the file in which a namespace is published, for the message
// that it is missing.
var usual = map[string]string{
	nsXML:                                       "xml.xsd",
	"http://www.w3.org/1999/xlink":              "xlink.xsd",
	"http://www.w3.org/2005/08/addressing":      "ws-addr.xsd",
	"http://www.w3.org/2000/09/xmldsig#":        "xmldsig-core-schema.xsd",
	"http://schemas.xmlsoap.org/soap/envelope/": "soap11.xsd",
	"http://www.w3.org/2003/05/soap-envelope":   "soap12.xsd",
	nsRIM: "rim.xsd",
	"urn:oasis:names:tc:ebxml-regrep:xsd:rs:4.0":    "rs.xsd",
	"urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0": "query.xsd",
	"urn:oasis:names:tc:ebxml-regrep:xsd:lcm:4.0":   "lcm.xsd",
	"http://data.europa.eu/p4s":                     "SDG-GenericMetadataProfile-….xsd",
}

// compileSchemas makes one schema of all the XSD files that can be used. The
// RegRep files import xml, xlink and ws-addressing without saying where they
// are, so a driver schema in memory imports every namespace by its place in
// the folder. The set of namespaces that it knows is returned beside it.
func compileSchemas(ctx context.Context, files folder) (*xsd.Schema, map[string]string, []Problem) {
	byName := map[string]schemaFile{}
	var problems []Problem
	for _, name := range files.names(".xsd") {
		s, err := readSchemaFile(ctx, name, files[name])
		if err != nil {
			problems = append(problems, Problem{File: name, Construct: "XML Schema", Text: err.Error()})
			continue
		}
		byName[name] = s
		if name := tampered(s); name != "" {
			problems = append(problems, Problem{File: s.name, Construct: name, Warning: true,
				Text: "is not the unmodified OASIS file: this edit, made for code generation, refuses valid messages; fetch RegRep 4.0 from OASIS again"})
		}
	}
	chosen, more := choose(files, byName)
	problems = append(problems, more...)
	chosen, more = closed(files, byName, chosen)
	problems = append(problems, more...)
	if len(chosen) == 0 {
		return nil, nil, problems
	}

	var driver strings.Builder
	driver.WriteString(`<xs:schema xmlns:xs="` + nsXSD + `">`)
	for _, ns := range importOrder(byName, chosen) {
		fmt.Fprintf(&driver, `<xs:import namespace="%s" schemaLocation="%s"/>`, html.EscapeString(ns), html.EscapeString(chosen[ns]))
	}
	driver.WriteString(`</xs:schema>`)
	doc, err := helium.NewParser().Parse(ctx, []byte(driver.String()))
	if err != nil {
		return nil, nil, append(problems, Problem{Construct: "driver schema", Text: err.Error()})
	}
	said := helium.NewErrorCollector(ctx, helium.ErrorLevelNone)
	schema, err := xsd.NewCompiler().Version(xsd.Version11). // at 1.0 the SDG schema (vc:minVersion) is dropped without a word
									FS(files).ErrorHandler(said).Compile(ctx, doc)
	for _, e := range said.Errors() {
		var leveled helium.ErrorLeveler
		if errors.As(e, &leveled) && leveled.ErrorLevel() <= helium.ErrorLevelWarning {
			continue // "this namespace was already imported": that is the driver's doing
		}
		problems = append(problems, Problem{Construct: "XML Schema", Text: strings.TrimSpace(e.Error())})
	}
	if err != nil {
		return nil, nil, append(problems, Problem{Construct: "XML Schema", Text: err.Error()})
	}
	return schema, chosen, problems
}

func readSchemaFile(ctx context.Context, name string, raw []byte) (schemaFile, error) {
	s := schemaFile{name: name, imports: map[string]string{}}
	// Only here a DOCTYPE is let through, for the W3C's own xmldsig schema has
	// one; the parser loads nothing that it names.
	doc, err := helium.NewParser().Parse(ctx, raw)
	if err != nil {
		return s, err
	}
	root := doc.DocumentElement()
	if root.URI() != nsXSD || root.LocalName() != "schema" {
		return s, fmt.Errorf("the root element is %s, not xs:schema", root.Name())
	}
	s.doc = doc
	s.namespace, _ = root.GetAttribute("targetNamespace")
	for e := range helium.ChildElements(root) {
		if e.URI() != nsXSD {
			continue
		}
		location, _ := e.GetAttribute("schemaLocation")
		switch e.LocalName() {
		case "import":
			ns, _ := e.GetAttribute("namespace")
			s.imports[ns] = location
		case "include", "redefine", "override":
			s.includes = append(s.includes, location)
		}
	}
	return s, nil
}

// choose picks one file for each namespace. Several that are not parts of one
// another are several editions: the last in order of their names is taken, and
// said so.
func choose(files folder, byName map[string]schemaFile) (map[string]string, []Problem) {
	part := map[string]bool{}
	for _, s := range byName {
		for _, location := range s.includes {
			if name, ok := files.find(path.Join(path.Dir(s.name), location)); ok {
				part[name] = true
			}
		}
	}
	candidates := map[string][]string{}
	for _, name := range files.names(".xsd") {
		if s, ok := byName[name]; ok && !part[name] {
			candidates[s.namespace] = append(candidates[s.namespace], name)
		}
	}
	chosen, problems := map[string]string{}, []Problem(nil)
	for _, ns := range slices.Sorted(maps.Keys(candidates)) {
		names := candidates[ns]
		slices.SortFunc(names, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
		last := names[len(names)-1]
		chosen[ns] = last
		for _, other := range names[:len(names)-1] {
			problems = append(problems, Problem{File: other, Construct: "namespace " + ns, Warning: true,
				Text: "is left aside for " + last + ", which has the same namespace; name a folder with one release to use it"})
		}
	}
	return chosen, problems
}

// closed leaves only the files whose imports and includes are all there, and
// names for every other what it misses.
func closed(files folder, byName map[string]schemaFile, chosen map[string]string) (map[string]string, []Problem) {
	var problems []Problem
	for again := true; again; {
		again = false
		for _, ns := range slices.Sorted(maps.Keys(chosen)) {
			missing := missingFor(files, byName[chosen[ns]], chosen)
			if missing == "" {
				continue
			}
			problems = append(problems, Problem{File: chosen[ns], Construct: "namespace " + ns, Text: missing})
			delete(chosen, ns)
			again = true
		}
	}
	return chosen, problems
}

func missingFor(files folder, s schemaFile, chosen map[string]string) string {
	for _, ns := range slices.Sorted(maps.Keys(s.imports)) {
		if chosen[ns] == "" {
			said := "cannot be used: it imports the namespace " + ns + ", and no usable schema of it is in the folder"
			if location := s.imports[ns]; location != "" {
				return said + "; add " + path.Base(location)
			}
			if usual[ns] != "" {
				return said + "; it is published as " + usual[ns]
			}
			return said
		}
	}
	for _, location := range s.includes {
		if _, ok := files.find(path.Join(path.Dir(s.name), location)); !ok {
			return "cannot be used: it includes " + location + ", which is not in the folder"
		}
	}
	return ""
}

// importOrder puts a namespace behind those it imports, as far as there is
// such an order.
func importOrder(byName map[string]schemaFile, chosen map[string]string) []string {
	var order []string
	seen := map[string]bool{}
	var visit func(ns string)
	visit = func(ns string) {
		if seen[ns] || chosen[ns] == "" {
			return
		}
		seen[ns] = true
		for _, other := range slices.Sorted(maps.Keys(byName[chosen[ns]].imports)) {
			visit(other)
		}
		if ns != "" {
			order = append(order, ns)
		}
	}
	for _, ns := range slices.Sorted(maps.Keys(chosen)) {
		visit(ns)
	}
	return order
}

// tampered recognises the copy of rim.xsd that was edited for code generation:
// its RegistryObjectList is empty and its LocalizedString has no xml:lang. It
// returns the construct that gives it away.
func tampered(s schemaFile) string {
	if s.namespace != nsRIM {
		return ""
	}
	for _, want := range []struct{ typ, element, ref string }{
		{"RegistryObjectListType", "element", "RegistryObject"},
		{"LocalizedStringType", "attribute", "lang"},
	} {
		declared, whole := false, false
		for n := range helium.Descendants(s.doc) {
			e, ok := helium.AsNode[*helium.Element](n)
			if !ok || e.LocalName() != "complexType" {
				continue
			}
			if name, _ := e.GetAttribute("name"); name != want.typ {
				continue
			}
			declared = true
			for m := range helium.Descendants(e) {
				d, ok := helium.AsNode[*helium.Element](m)
				if !ok || d.LocalName() != want.element {
					continue
				}
				ref, _ := d.GetAttribute("ref")
				_, local, _ := strings.Cut(":"+ref, ":")
				if i := strings.LastIndexByte(local, ':'); i >= 0 {
					local = local[i+1:]
				}
				whole = whole || local == want.ref
			}
		}
		if declared && !whole {
			return want.typ + " without " + want.ref
		}
	}
	return ""
}
