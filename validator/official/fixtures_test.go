package official

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The messages that our own rules are tested with are sound under the
// published schema of line 1.0.
func TestFixturesOfLine10AreSchemaValid(t *testing.T) {
	s := load(t, filepath.Join(samples(t), "schemas"))
	files, err := filepath.Glob("../testdata/cs/*-1.0.xml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v := judge(t, s, string(raw), "")
		for _, f := range v.Findings {
			t.Errorf("%s:%d: %s", strings.TrimPrefix(file, "../"), f.Line, f.Message)
		}
		if !v.Schema {
			t.Errorf("%s: no schema", file)
		}
	}
}
