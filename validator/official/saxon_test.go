package official

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Our Schematron engine against Saxon, the reference implementation of XSLT:
// every sample under every published file, whether meant for it or not.
func TestEngineAgreesWithSaxon(t *testing.T) {
	dir := samples(t)
	jar := "/usr/share/java/Saxon-HE.jar" // Debian, libsaxonhe-java
	if _, err := os.Stat(jar); err != nil {
		needed(t, "Saxon is not installed (Debian: libsaxonhe-java)")
	}
	java, err := exec.LookPath("java")
	if err != nil {
		needed(t, "java is not installed")
	}
	s := load(t, filepath.Join(dir, "edm-1.0/schematron"))
	messages, err := filepath.Glob(filepath.Join(dir, "edm-1.?/*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(dir, "edm-1.0/messages/*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	messages = append(messages, more...)
	bench := "../../bench/saxon/"
	args := []string{"-cp", jar, bench + "Bench.java", "--verdicts", bench + "schematron.xsl"}
	var ours strings.Builder
	for _, sch := range s.schematrons {
		for _, message := range messages {
			file := filepath.Join(dir, "edm-1.0/schematron", sch.file)
			args = append(args, file, message)
			raw, err := os.ReadFile(message)
			if err != nil {
				t.Fatal(err)
			}
			ours.WriteString("= " + file + " " + message + "\n")
			var fired []string
			for _, f := range judge(t, s, string(raw), sch.transaction).Findings {
				if !strings.HasPrefix(f.Rule, sch.file) && f.Rule != RuleXSD {
					fired = append(fired, strings.TrimSpace(f.Rule+" "+f.Role))
				}
			}
			slices.Sort(fired)
			ours.WriteString(strings.Join(fired, "\n") + "\n")
		}
	}
	out, err := exec.CommandContext(t.Context(), java, args...).Output()
	if err != nil {
		t.Fatalf("Saxon: %v", err)
	}
	var theirs strings.Builder
	var fired []string
	flush := func() {
		if theirs.Len() > 0 {
			slices.Sort(fired)
			theirs.WriteString(strings.Join(fired, "\n") + "\n")
		}
		fired = nil
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "= "):
			flush()
			theirs.WriteString(line + "\n")
		case strings.HasPrefix(line, "line"): // an assertion without an id
		default:
			fired = append(fired, strings.TrimSpace(line))
		}
	}
	flush()
	if d := cmp.Diff(ours.String(), theirs.String()); d != "" {
		t.Errorf("ours (-) and Saxon (+) differ:\n%s", d)
	}
	if n := strings.Count(ours.String(), "= "); n < 500 {
		t.Errorf("only %d pairs were compared", n)
	}
}

// needed skips a test whose tool is missing, and fails it where everything
// must run.
func needed(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("OOTS_TEST_ALL") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}
