package as4_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
)

func TestASweepTakesWhatNoMessageNeeds(t *testing.T) {
	folder := as4.Folder(t.TempDir())
	put := func(key string) {
		if err := folder.Put(t.Context(), key, strings.NewReader(key)); err != nil {
			t.Fatal(err)
		}
	}
	put("queued")
	put("orphan")
	old := time.Now().Add(-2 * time.Hour)
	files, err := filepath.Glob(filepath.Join(string(folder), "*.part"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if err := os.Chtimes(f, old, old); err != nil {
			t.Fatal(err)
		}
	}
	put("fresh")
	if err := folder.Sweep(t.Context(), []string{"queued"}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"queued": true, "orphan": false, "fresh": true} {
		c, err := folder.Open(t.Context(), key)
		if (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", key, err == nil, want)
		}
		if err == nil {
			if b, _ := io.ReadAll(c.NewReader()); string(b) != key {
				t.Errorf("%s reads %q", key, b)
			}
		}
	}
	if err := as4.Folder(filepath.Join(t.TempDir(), "none")).Sweep(t.Context(), nil, time.Now()); err != nil {
		t.Errorf("a folder that is not there yet: %v", err)
	}
}
