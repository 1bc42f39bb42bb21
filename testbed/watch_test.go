package testbed

import (
	"fmt"
	"testing"
)

// FuzzSeen: an id that a browser sends back is one that was given, or nothing.
func FuzzSeen(f *testing.F) {
	for _, id := range []string{"", "3.1", "3.1.done", "-1.2", "x", "9999999999999999999.0", "1.2.3"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		steps, notes, end := seen(id)
		if steps < 0 || notes < 0 {
			t.Fatalf("%q: %d.%d", id, steps, notes)
		}
		text := fmt.Sprintf("%d.%d", steps, notes)
		if end {
			text += ".done"
		}
		if a, b, c := seen(text); a != steps || b != notes || c != end {
			t.Fatalf("%q is read as %q, and that as %d.%d %v", id, text, a, b, c)
		}
	})
}
