package oots

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tree in README.md names every folder, and a folder that it names exists.
func TestReadmeNamesEveryFolder(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9/]+)/ `).FindAllStringSubmatch(string(text), -1) {
		room, _, _ := strings.Cut(m[1], "/")
		named[room] = true
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("README.md names %s/, which is not there", m[1])
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "data" && !named[e.Name()] {
			t.Errorf("the tree in README.md does not name %s/", e.Name())
		}
	}
}

// Links inside of the documents lead to files that are there.
func TestLinksOfDocumentsResolve(t *testing.T) {
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "bench/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, found...)
	}
	link := regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], ":") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), m[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", document, m[1])
			}
		}
	}
}

// A decision has a number of its own.
func TestDecisionsAreNumberedOnce(t *testing.T) {
	pages, err := filepath.Glob("docs/decisions/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("no decisions are there", err)
	}
	seen := map[string]string{}
	for _, page := range pages {
		number, _, _ := strings.Cut(filepath.Base(page), "-")
		if other := seen[number]; other != "" {
			t.Errorf("%s and %s have one number", other, page)
		}
		seen[number] = page
	}
}
