package partner

import (
	"strings"

	"github.com/once-only/oots/xmltree"
)

// shuffle turns round the order of the slots of the document element, which
// carries no meaning.
func shuffle(body string) string {
	doc, err := xmltree.Parse([]byte(body), xmltree.Options{})
	if err != nil {
		return body
	}
	var slots []*xmltree.Element
	for e := range doc.Root.Each(xmltree.Customary("rim"), "Slot") {
		slots = append(slots, e)
	}
	if len(slots) < 2 {
		return body
	}
	var out strings.Builder
	at := 0
	for i, e := range slots {
		out.WriteString(body[at:e.Start()])
		out.WriteString(slots[len(slots)-1-i].Source())
		at = e.End()
	}
	out.WriteString(body[at:])
	return out.String()
}
