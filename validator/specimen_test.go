package validator

import "testing"

// Every specimen passes every rule that finds its place in it.
func TestSpecimensAreSound(t *testing.T) {
	v := New(Config{})
	for _, s := range Specimens() {
		t.Run(s.Line.String()+" "+s.Name, func(t *testing.T) {
			r := v.Validate([]byte(s.XML), Options{})
			if r.Kind != s.Kind || s.Kind != EBMSHeader && r.Lines != s.Line {
				t.Errorf("detected %v on line %v, want %v on %v", r.Kind, r.Lines, s.Kind, s.Line)
			}
			for _, f := range r.Findings {
				t.Errorf("%s line %d %s: found %s, expected %s", f.Rule, f.Line, f.Path, f.Found, f.Expected)
			}
		})
	}
}
