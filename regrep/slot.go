package regrep

import (
	"strings"
	"time"

	"github.com/once-only/oots/xmltree"
)

// Slot is rim:Slot: a name and exactly one value.
type Slot struct {
	Name  string
	Value Value
	At    *xmltree.Element // where it was read, nil in one that was made
}

// Slots are the slots of one element, in their order.
type Slots []Slot

// Value is what a slot holds: String, DateTime, Boolean, International, Any
// or Collection.
type Value interface {
	// Type is the local name of the value's xsi:type.
	Type() string
	write(w *xmltree.Writer)
}

// String is rim:StringValueType; at most 256 characters by the schema.
type String string

// DateTime is rim:DateTimeValueType. A time without a zone is read as UTC and
// all times are written in UTC with milliseconds.
type DateTime time.Time

// Boolean is rim:BooleanValueType.
type Boolean bool

// Text is a text in one language.
type Text struct{ Lang, Value string }

// International is rim:InternationalStringValueType.
type International []Text

// Any is rim:AnyValueType: one foreign element, Element when it was read,
// Write when it is to be written.
type Any struct {
	Element *xmltree.Element
	Write   func(w *xmltree.Writer)
}

// Collection is rim:CollectionValueType of Any values.
type Collection struct {
	Kind     string // collectionType; Set is written when it is empty
	Elements []Any
}

func (String) Type() string        { return "StringValueType" }
func (DateTime) Type() string      { return "DateTimeValueType" }
func (Boolean) Type() string       { return "BooleanValueType" }
func (International) Type() string { return "InternationalStringValueType" }
func (Any) Type() string           { return "AnyValueType" }
func (Collection) Type() string    { return "CollectionValueType" }

// Get finds the slot of a name, nil when there is none.
func (s Slots) Get(name string) *Slot {
	for i := range s {
		if s[i].Name == name {
			return &s[i]
		}
	}
	return nil
}

// Closed refuses slots of other names than these, and slots that stand twice.
func (s Slots) Closed(names ...string) error {
next:
	for i, slot := range s {
		for j := range i {
			if s[j].Name == slot.Name {
				return Refuse(slot.At, "the slot %s stands twice", slot.Name)
			}
		}
		for _, n := range names {
			if n == slot.Name {
				continue next
			}
		}
		return Refuse(slot.At, "the slot %.60q does not belong into this message", slot.Name)
	}
	return nil
}

// As gives the slot's value as the wanted type, or refuses it.
func As[V Value](s *Slot) (V, error) {
	v, ok := s.Value.(V)
	if !ok {
		return v, Refuse(s.At, "the slot %s is of type %s, not %s", s.Name, s.Value.Type(), v.Type())
	}
	return v, nil
}

// readSlots reads the rim:Slot children that an element begins with and gives
// the first child after them.
func readSlots(e *xmltree.Element) (Slots, *xmltree.Element, error) {
	c := e.First()
	n := 0
	for s := c; s.Is(RIM, "Slot"); s = s.Next() {
		n++
	}
	if n == 0 {
		return nil, c, nil
	}
	slots := make(Slots, n)
	for i := range slots {
		if err := slots[i].read(c); err != nil {
			return nil, nil, err
		}
		c = c.Next()
	}
	return slots, c, nil
}

func (s *Slot) read(e *xmltree.Element) error {
	if err := Closed(e, "name", "type"); err != nil {
		return err
	}
	s.Name, s.At = e.Attr("", "name"), e
	if s.Name == "" {
		return Refuse(e, "a slot has no name")
	}
	v := e.First()
	if v == nil {
		return Refuse(e, "the slot %s has no value", s.Name)
	}
	if !v.Is(RIM, "SlotValue") {
		return Refuse(v, "%s does not belong into a slot", v.Name())
	}
	if n := v.Next(); n != nil {
		return Refuse(n, "the slot %s has more than one value", s.Name)
	}
	value, err := readValue(v)
	s.Value = value
	return err
}

// readValue reads rim:SlotValue or rim:Element by its xsi:type.
func readValue(e *xmltree.Element) (Value, error) {
	_, kind, ok := xsiType(e, RIM)
	if !ok {
		return nil, Refuse(e, "%s has no xsi:type of RegRep", e.Name())
	}
	if kind == "CollectionValueType" {
		return readCollection(e)
	}
	if err := Closed(e, "xsi:type"); err != nil {
		return nil, err
	}
	c := e.First()
	if c == nil {
		return nil, Refuse(e, "the value is empty")
	}
	if n := c.Next(); n != nil {
		return nil, Refuse(n, "a value of type %s holds one element only", kind)
	}
	if kind == "AnyValueType" {
		if c.Space() == RIM {
			return nil, Refuse(c, "%s does not belong into a value of type AnyValueType", c.Name())
		}
		return Any{Element: c}, nil
	}
	if !c.Is(RIM, "Value") {
		return nil, Refuse(c, "%s stands where rim:Value must stand", c.Name())
	}
	if kind == "InternationalStringValueType" {
		return readInternational(c)
	}
	if err := Leaf(c); err != nil {
		return nil, err
	}
	text := xmltree.NormalizeSpace(c.Text())
	switch kind {
	case "StringValueType":
		return String(text), nil
	case "BooleanValueType":
		switch text {
		case "true", "1":
			return Boolean(true), nil
		case "false", "0":
			return Boolean(false), nil
		}
		return nil, Refuse(c, "the value is neither true nor false")
	case "DateTimeValueType":
		t, ok := ParseDateTime(text)
		if !ok {
			return nil, Refuse(c, "the value is not a date and time such as 2026-11-02T09:15:00.000Z")
		}
		return DateTime(t), nil
	}
	return nil, Refuse(e, "OOTS uses no slot value of type %.60q", kind)
}

func readInternational(e *xmltree.Element) (Value, error) {
	if err := Closed(e); err != nil {
		return nil, err
	}
	texts := make(International, 0, e.Len())
	for c := range e.Children() {
		if !c.Is(RIM, "LocalizedString") {
			return nil, Refuse(c, "%s stands where rim:LocalizedString must stand", c.Name())
		}
		if err := Leaf(c, "xml:lang", "value"); err != nil {
			return nil, err
		}
		if !c.HasAttr("", "value") {
			return nil, Refuse(c, "rim:LocalizedString has no value")
		}
		texts = append(texts, Text{c.Attr(xmltree.XMLSpace, "lang"), xmltree.NormalizeSpace(c.Attr("", "value"))})
	}
	if len(texts) == 0 {
		return nil, Refuse(e, "the value is empty")
	}
	return texts, nil
}

func readCollection(e *xmltree.Element) (Value, error) {
	if err := Closed(e, "xsi:type", "collectionType"); err != nil {
		return nil, err
	}
	v := Collection{Kind: e.Attr("", "collectionType"), Elements: make([]Any, 0, e.Len())}
	for c := range e.Children() {
		if !c.Is(RIM, "Element") {
			return nil, Refuse(c, "%s stands where rim:Element must stand", c.Name())
		}
		inner, err := readValue(c)
		if err != nil {
			return nil, err
		}
		any, ok := inner.(Any)
		if !ok {
			return nil, Refuse(c, "an element of a collection is of type AnyValueType, not %s", inner.Type())
		}
		v.Elements = append(v.Elements, any)
	}
	if len(v.Elements) == 0 {
		return nil, Refuse(e, "the collection is empty")
	}
	return v, nil
}

// ParseDateTime reads an xsd:dateTime; without a zone it is taken as UTC.
func ParseDateTime(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05.999999999", s)
	}
	return t.UTC(), err == nil && len(s) >= 19 && s[10] == 'T' && !strings.Contains(s, ",")
}

// FormatDateTime writes a time as the official samples do: UTC with
// milliseconds.
func FormatDateTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// writeSlots writes rim:Slot elements; slots without a value are left out.
func writeSlots(w *xmltree.Writer, slots Slots) {
	for _, s := range slots {
		if s.Value == nil {
			continue
		}
		w.Open("rim:Slot", "name", s.Name)
		w.Open("rim:SlotValue", "xsi:type", "rim:"+s.Value.Type())
		s.Value.write(w)
		w.Close()
		w.Close()
	}
}

func (v String) write(w *xmltree.Writer) { w.Leaf("rim:Value", string(v)) }

func (v DateTime) write(w *xmltree.Writer) { w.Leaf("rim:Value", FormatDateTime(time.Time(v))) }

func (v Boolean) write(w *xmltree.Writer) {
	if v {
		w.Leaf("rim:Value", "true")
	} else {
		w.Leaf("rim:Value", "false")
	}
}

func (v International) write(w *xmltree.Writer) {
	w.Open("rim:Value")
	for _, t := range v {
		w.Open("rim:LocalizedString", "xml:lang", t.Lang, "value", t.Value)
		w.Close()
	}
	w.Close()
}

func (v Any) write(w *xmltree.Writer) {
	if v.Write != nil {
		v.Write(w)
	}
}

func (v Collection) write(w *xmltree.Writer) {
	kind := v.Kind
	if kind == "" {
		kind = Set
	}
	w.Attr("collectionType", kind)
	for _, e := range v.Elements {
		w.Open("rim:Element", "xsi:type", "rim:AnyValueType")
		e.write(w)
		w.Close()
	}
}
