package regrep

import "github.com/once-only/oots/xmltree"

// Kinds of registry objects, the xsi:type of rim:RegistryObject without its
// prefix. A plain object has none.
const (
	Plain       = ""
	Package     = "RegistryPackageType"
	Extrinsic   = "ExtrinsicObjectType"
	Association = "AssociationType"
)

// Objects are the content of a rim:RegistryObjectList.
type Objects []Object

// Object is rim:RegistryObject.
type Object struct {
	Kind            string
	ID              string
	Slots           Slots
	Classifications []Classification

	Objects *Objects // of a package

	Item *RepositoryItem // of an extrinsic object

	Type, Source, Target string // of an association

	At *xmltree.Element
}

// Classification is rim:Classification.
type Classification struct{ ID, Scheme, Node string }

// RepositoryItem is rim:RepositoryItemRef.
type RepositoryItem struct {
	Href  string // "cid:" and the content id of a MIME part
	Title string
}

// ReadObject reads one rim:RegistryObject.
func ReadObject(e *xmltree.Element) (Object, error) {
	o := Object{At: e}
	if !e.Is(RIM, "RegistryObject") {
		return o, Refuse(e, "%s stands where rim:RegistryObject must stand", e.Name())
	}
	attrs := []string{"id", "lid", "xsi:type", "objectType", "owner", "status"}
	if e.HasAttr(xmltree.XSISpace, "type") {
		_, kind, ok := xsiType(e, RIM)
		if !ok || kind != Package && kind != Extrinsic && kind != Association {
			return o, Refuse(e, "OOTS uses no registry object of this xsi:type")
		}
		o.Kind = kind
	}
	switch o.Kind {
	case Association:
		attrs = append(attrs, "type", "sourceObject", "targetObject")
		o.Type, o.Source, o.Target = e.Attr("", "type"), e.Attr("", "sourceObject"), e.Attr("", "targetObject")
		if o.Type == "" || o.Source == "" || o.Target == "" {
			return o, Refuse(e, "an association needs type, sourceObject and targetObject")
		}
	case Extrinsic:
		attrs = append(attrs, "mimeType", "isOpaque")
	}
	if err := Closed(e, attrs...); err != nil {
		return o, err
	}
	if o.ID = e.Attr("", "id"); o.ID == "" {
		return o, Refuse(e, "a registry object has no id")
	}
	slots, c, err := readSlots(e)
	if err != nil {
		return o, err
	}
	o.Slots = slots
	for ; c.Is(RIM, "Classification"); c = c.Next() {
		if err := Leaf(c, "id", "classificationScheme", "classificationNode", "classifiedObject"); err != nil {
			return o, err
		}
		if c.Attr("", "id") == "" {
			return o, Refuse(c, "a classification has no id")
		}
		o.Classifications = append(o.Classifications,
			Classification{c.Attr("", "id"), c.Attr("", "classificationScheme"), c.Attr("", "classificationNode")})
	}
	switch {
	case o.Kind == Package && c.Is(RIM, "RegistryObjectList"):
		list, err := readObjects(c)
		if err != nil {
			return o, err
		}
		o.Objects = &list
		c = c.Next()
	case o.Kind == Extrinsic && c.Is(RIM, "RepositoryItemRef"):
		if err := Leaf(c, "xlink:href", "xlink:title", "xlink:type", "xlink:role", "xlink:arcrole", "xlink:show", "xlink:actuate"); err != nil {
			return o, err
		}
		o.Item = &RepositoryItem{c.Attr(XLink, "href"), c.Attr(XLink, "title")}
		if o.Item.Href == "" {
			return o, Refuse(c, "rim:RepositoryItemRef has no xlink:href")
		}
		c = c.Next()
	}
	if c != nil {
		return o, Refuse(c, "%s does not belong here in a registry object", c.Name())
	}
	return o, nil
}

func readObjects(e *xmltree.Element) (Objects, error) {
	if err := Closed(e); err != nil {
		return nil, err
	}
	list := make(Objects, 0, e.Len())
	for c := range e.Children() {
		o, err := ReadObject(c)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

func (l Objects) write(w *xmltree.Writer) {
	w.Open("rim:RegistryObjectList")
	for i := range l {
		l[i].write(w)
	}
	w.Close()
}

func (o *Object) write(w *xmltree.Writer) {
	w.Open("rim:RegistryObject")
	if o.Kind != Plain {
		w.Attr("xsi:type", "rim:"+o.Kind)
	}
	w.Attr("id", o.ID)
	if o.Kind == Association {
		w.Attr("type", o.Type, "sourceObject", o.Source, "targetObject", o.Target)
	}
	writeSlots(w, o.Slots)
	for _, c := range o.Classifications {
		w.Open("rim:Classification", "id", c.ID, "classificationScheme", c.Scheme, "classificationNode", c.Node)
		w.Close()
	}
	if o.Objects != nil {
		o.Objects.write(w)
	}
	if o.Item != nil {
		w.Open("rim:RepositoryItemRef", "xlink:href", o.Item.Href, "xlink:title", o.Item.Title)
		w.Close()
	}
	w.Close()
}
