package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// clientProgram uses the generated client as a stranger would.
const clientProgram = `package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	c, err := NewClientWithResponses(os.Args[1])
	if err != nil {
		panic(err)
	}
	m, err := c.GetMemberWithResponse(context.Background(), "EL", nil)
	if err != nil || m.JSON200 == nil {
		panic(fmt.Sprint(err, m))
	}
	bad, err := c.GetMemberWithResponse(context.Background(), "GR", nil)
	if err != nil || bad.ApplicationproblemJSONDefault == nil {
		panic(fmt.Sprint(err, bad))
	}
	l, err := c.ListLevelsWithResponse(context.Background())
	if err != nil || l.JSON200 == nil {
		panic(fmt.Sprint(err, l))
	}
	fmt.Println(m.JSON200.Country.Code, m.JSON200.Displayed.Level, *bad.ApplicationproblemJSONDefault.Code, len(l.JSON200.Items))
}
`

// The document is good enough for a program that knows nothing else: a client
// is generated from it, built, and asks the API.
func TestAGeneratedClientUnderstandsTheAPI(t *testing.T) {
	if os.Getenv("OOTS_TEST_CLIENT") != "1" && os.Getenv("OOTS_TEST_ALL") != "1" {
		t.Skip("building the generator takes a minute; OOTS_TEST_CLIENT=1 runs this test")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	w := start(t).filled()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("openapi.json", w.call("GET", "/openapi-3.0.json", "").Body.Bytes())
	write("main.go", []byte(clientProgram))
	run := func(in string, name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = in
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		if err := c.Run(); err != nil {
			t.Fatalf("%s %v: %v\n%s%s", name, args, err, out.Bytes(), errs.Bytes())
		}
		return out.String()
	}
	run(root, "go", "tool", "-modfile=tools/go.mod", "oapi-codegen", "-generate", "types,client", "-package", "main",
		"-o", filepath.Join(dir, "client.go"), filepath.Join(dir, "openapi.json"))
	run(dir, "go", "mod", "init", "client.example")
	run(dir, "go", "get", "github.com/oapi-codegen/runtime@v1.8.0")
	run(dir, "go", "build", "-mod=mod", "-o", "client", ".")
	if got, want := run(dir, filepath.Join(dir, "client"), serve(t, w)), "EL 4 unknown-country 6\n"; got != want {
		t.Errorf("the client says %q, want %q", got, want)
	}
}

// serve opens the API on loopback.
func serve(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
