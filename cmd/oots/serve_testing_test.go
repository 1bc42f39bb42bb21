package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// underTest writes a node under test, with changes to its file.
func underTest(t *testing.T, changes ...string) (file string) {
	t.Helper()
	dir := t.TempDir()
	if code := run(t.Context(), []string{"test", "setup", dir, "--country", "EL", "--port", fmt.Sprint(fivePorts(t))}, nil, io.Discard, io.Discard); code != 0 {
		t.Fatal(code)
	}
	file = filepath.Join(dir, "node.toml")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.NewReplacer(changes...).Replace(string(text))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// serving runs a node until it has said something or ends.
func serving(t *testing.T, file, until string) (said, errs string, code int) {
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	out, says := io.Pipe()
	heard := make(chan string, 1)
	go func() {
		var all strings.Builder
		for buf := make([]byte, 4096); ; {
			n, err := out.Read(buf)
			all.Write(buf[:n])
			if strings.Contains(all.String(), until) {
				stop()
			}
			if err != nil {
				heard <- all.String()
				return
			}
		}
	}()
	var log bytes.Buffer
	code = run(ctx, []string{"serve", "node", "--config", file}, nil, says, &log)
	says.Close()
	return <-heard, log.String(), code
}

// TestTheDoorOfOrdersIsShut unless the file says that the node is no production.
func TestTheDoorOfOrdersIsShut(t *testing.T) {
	const named = `environment = "testing"`
	fixed := []string{`naptr = "`, "eb = \"https://cs.example/eb/\"\ndsd = \"https://cs.example/dsd/\" # \""}
	for _, c := range []struct {
		node    string
		changes []string
		want    string // in the error; empty when it opens
	}{
		{"as it was written", nil, ""},
		{"of acceptance", []string{named, `environment = "acc"`}, ""},
		{"with fixed directories that are named", fixed, ""},
		{"with fixed directories of no name", append(fixed, named, ""), "[testing]"},
		{"of no environment", []string{named, ""}, "[testing]"},
		{"of production", []string{named, `environment = "prod"`}, "[testing]"},
		{"of production, in other words", []string{named, `environment = "Production"`}, "[testing]"},
	} {
		said, errs, code := serving(t, underTest(t, c.changes...), "orders of the test platform")
		opened := strings.Contains(said, "orders of the test platform")
		if opened != (c.want == "") || opened == (code != 0) || !strings.Contains(errs, c.want) {
			t.Errorf("the node %s ends with %d\n%s%s", c.node, code, said, errs)
		}
	}
}

func TestASectionForTestsNeedsACountry(t *testing.T) {
	file := underTest(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "[requester]")
	_, section, _ := strings.Cut(string(text), "[testing]")
	if err := os.WriteFile(file, []byte(strings.Replace(head, `country = "EL"`, "", 1)+"[testing]"+section), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, errs, code := serving(t, file, "operations"); code == 0 || !strings.Contains(errs, "[testing] and no country") {
		t.Errorf("it ends with %d\n%s%s", code, said, errs)
	}
}

// TestTheDoorsKeyStandsBesideTheFile, as every other path of node.toml.
func TestTheDoorsKeyStandsBesideTheFile(t *testing.T) {
	file := underTest(t, "[testing]", "[testing]\ntls = \"keys/AP_EL_01/tls.pem\"")
	if said, errs, _ := serving(t, file, "orders of the test platform https://"); !strings.Contains(said, "orders of the test platform https://") {
		t.Errorf("%s%s", said, errs)
	}
}
