package regrep

import (
	"errors"
	"testing"
)

func FuzzRead(f *testing.F) {
	f.Add([]byte(response(slot("a", "StringValueType", "<rim:Value>x</rim:Value>") + `<rim:RegistryObjectList/>`)))
	f.Add([]byte(`<lcm:SubmitObjectsRequest` + spaces + ` id="1"><rim:RegistryObjectList><rim:RegistryObject id="1"/></rim:RegistryObjectList></lcm:SubmitObjectsRequest>`))
	f.Add([]byte(`<rs:RegistryResponse` + spaces + ` status="x"><rs:Exception xsi:type="rs:TimeoutExceptionType"/></rs:RegistryResponse>`))
	f.Fuzz(func(t *testing.T, src []byte) {
		doc, err := Parse(src)
		if err != nil {
			return
		}
		if _, err := readRoot(doc.Root); err != nil {
			var e *ContentError
			if !errors.As(err, &e) || e.Line == 0 {
				t.Fatalf("error without a place: %v", err)
			}
		}
	})
}
