package draft_test

import (
	"strings"
	"testing"

	"github.com/once-only/oots/testbed/draft"
	"github.com/once-only/oots/xmltree"
)

const message = `<query:QueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:4.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:4.0" id="1"><rim:Slot name="A"><rim:SlotValue>x</rim:SlotValue></rim:Slot><rim:Slot name="B"/><rim:Object xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x"/></query:QueryRequest>`

func TestChanges(t *testing.T) {
	for _, c := range []struct{ change, want string }{
		{"remove //rim:Slot[A]", `id="1"><rim:Slot name="B"/><rim:Object`},
		{"remove query:QueryRequest/@id", `rim:4.0"><rim:Slot`},
		{"set query:QueryRequest/@id 2", ` id="2">`},
		{"set //rim:Slot[B] y", `<rim:Slot name="B">y</rim:Slot>`},
		{"set //rim:Slot[A]/rim:SlotValue two words", `<rim:SlotValue>two words</rim:SlotValue>`},
		{"set //rim:Slot[2]/@name C", ` name="C"/>`},
		// An attribute without prefix is in no namespace: xsi:type is another.
		{"set //rim:Object/@type t", `<rim:Object type="t" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x"/>`},
		{"set //rim:Object/@xsi:type t", `xsi:type="t"/>`},
		{"set //rim:Slot[A]/@type t", `<rim:Slot type="t" name="A">`},
		{"add //rim:Slot[B] <rim:SlotValue/>", `<rim:Slot name="B"><rim:SlotValue/></rim:Slot>`},
		{"before //rim:Slot[B] <rim:Slot name=\"C\"/>", `<rim:Slot name="C"/><rim:Slot name="B"/>`},
		{"copy //rim:Slot[B]", `<rim:Slot name="B"/><rim:Slot name="B"/>`},
		{"rename //rim:Slot[A] rim:Other", `<rim:Other name="A"><rim:SlotValue>x</rim:SlotValue></rim:Other>`},
		{"prefix rim r", `<r:Slot name="A"><r:SlotValue>x</r:SlotValue></r:Slot>`},
	} {
		got, err := draft.Edit(message, c.change)
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v\n%s", c.change, err, got)
			continue
		}
		if _, err := xmltree.Parse([]byte(got), xmltree.Options{}); err != nil {
			t.Errorf("%s: %v", c.change, err)
		}
	}
}

func TestDraftsSayWhatIsWrong(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	loop := func(string) (string, bool) { return "base again", true }
	for _, c := range []struct {
		text  string
		bases draft.Bases
		want  string
	}{
		{"base nothing", none, `line 1: there is no base message "nothing"`},
		{"base again", loop, "stands on more than"},
		{"base it\nfly //rim:Slot", func(string) (string, bool) { return message, true }, `line 2: no change is called "fly"`},
		{"base it\n\nremove //rim:Slot[Z]", func(string) (string, bool) { return message, true }, "line 3: the message has no //rim:Slot[Z]"},
		{"base it\nremove //zz:Slot", func(string) (string, bool) { return message, true }, "prefix is not customary"},
	} {
		if _, err := draft.Apply(c.text, c.bases); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if _, err := draft.Fill("{{unknown}}", func(string) (string, bool) { return "", false }); err == nil || !strings.Contains(err.Error(), "{{unknown}}") {
		t.Error(err)
	}
}

func FuzzEdit(f *testing.F) {
	f.Add(message, "remove //rim:Slot[A]")
	f.Add(message, "set query:QueryRequest/@id 2\nprefix rim r\nindent")
	f.Add("<a/>", "copy //rim:Slot[1]/@x")
	f.Fuzz(func(t *testing.T, message, script string) {
		if len(script) > 2000 || len(message) > 10000 {
			return
		}
		out, err := draft.Edit(message, script)
		if err == nil && len(out) > draft.MaxSize+1 {
			t.Error("too large")
		}
	})
}
