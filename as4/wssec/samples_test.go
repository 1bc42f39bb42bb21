package wssec

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"testing"

	"github.com/once-only/oots/as4/ebms"
)

// samples is the folder of captured messages beside the project; the test is
// skipped where it is absent.
func samples(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above")
		}
	}
	s := filepath.Join(dir, "..", "shared", "samples", "as4")
	if _, err := os.Stat(s); errors.Is(err, os.ErrNotExist) {
		t.Skip("../shared/samples is not here")
	}
	return s
}

// capture reads one stored HTTP message: its headers, then its body.
func capture(t *testing.T, file string) (*ebms.Reader, []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(bytes.NewReader(data))
	h, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(in)
	r, err := ebms.NewReader(bytes.NewReader(body), h.Get("Content-Type"), ebms.Limits{}, ebms.Disk{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	root, err := r.Root()
	if err != nil {
		t.Fatal(err)
	}
	return r, root
}

func TestCapturesAreJudgedAsTheirReadmeSays(t *testing.T) {
	dir := samples(t)
	for _, c := range []struct {
		file  string
		want  ebms.Code
		refs  int
		parts int
	}{
		{"dump-raw.as4out", "", 3, 1},
		{"helger.as4in", "", 2, 0},
		{"governikus.as4in", "", 2, 0},
		{"dataport1-mustunderstand.as4in", "", 2, 0},
		{"dataport1.as4in", ebms.FailedAuthentication, 0, 0},
	} {
		t.Run(c.file, func(t *testing.T) {
			r, root := capture(t, filepath.Join(dir, c.file))
			env, err := ebms.ReadEnvelope(root)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Verify(env, Rules{})
			if ebms.CodeOf(err) != c.want {
				t.Fatalf("verify: %v, want %q", err, c.want)
			}
			if err != nil {
				return
			}
			if len(v.References) != c.refs {
				t.Errorf("%d references, want %d", len(v.References), c.refs)
			}
			h, err := v.Header()
			if err != nil {
				t.Fatal(err)
			}
			if h.Signal != nil && (h.Signal.Receipt == nil || len(h.Signal.Receipt.References) != 3) {
				t.Error("the receipt does not hold three references")
			}
			parts, err := r.Parts()
			if err != nil {
				t.Fatal(err)
			}
			if len(parts) != c.parts {
				t.Fatalf("%d parts, want %d", len(parts), c.parts)
			}
			// The private key of the recipient is not at hand.
			_, err = v.Open(h.User, parts, Need{Encrypted: true})
			if want := map[bool]ebms.Code{true: ebms.FailedDecryption}[c.parts > 0]; ebms.CodeOf(err) != want {
				t.Errorf("open: %v, want %q", err, want)
			}
		})
	}
}
