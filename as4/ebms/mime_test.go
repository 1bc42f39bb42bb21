package ebms

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

var inMemory = Disk{Memory: 1 << 30}

const related = `multipart/related; type="application/soap+xml"; start="<root@x>"; boundary="b"`

// take reads a whole body.
func take(body io.Reader, contentType string, l Limits, s Spool) (root []byte, parts []Part, err error) {
	r, err := NewReader(body, contentType, l, s)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if root, err = r.Root(); err != nil {
		return nil, nil, err
	}
	parts, err = r.Parts()
	return root, parts, err
}

const (
	rootPart = "--b\r\nContent-Type: application/soap+xml; charset=UTF-8\r\nContent-ID: <root@x>\r\n\r\n<env/>\r\n"
	onePart  = "--b\r\nContent-Type: application/octet-stream\r\nContent-ID: <p@x>\r\n\r\nocts\r\n"
	endPart  = "--b--\r\n"
)

func TestMIMEIsReadStrictly(t *testing.T) {
	part := func(headers, body string) string { return "--b\r\n" + headers + "\r\n\r\n" + body + "\r\n" }
	many := strings.Builder{}
	for i := range 3000 {
		fmt.Fprintf(&many, "--b\r\nContent-Type: a/b\r\nContent-ID: <p%d@x>\r\n\r\n\r\n", i)
	}
	for _, c := range []struct {
		name, contentType, body string
		want                    Code
		octets                  string // of the first part, when it is read
	}{
		{"as it should be", related, rootPart + onePart + endPart, "", "octs"},
		{"preamble and epilogue", related, "preamble\r\n\r\n" + rootPart + onePart + endPart + "\r\n \r\n", "", "octs"},
		{"no start and no root id", `multipart/related; boundary=b; type="application/soap+xml"`, "\r\n--b\r\nContent-Type: application/soap+xml\r\n\r\n<env/>\r\n" + onePart + endPart, "", "octs"},
		{"root comes last", related, onePart + rootPart + endPart, "", "octs"},
		{"start without brackets and with an escape", `multipart/related; start="root%40x"; boundary=b`, rootPart + onePart + endPart, "", "octs"},
		{"base64", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>\r\nContent-Transfer-Encoding: base64", "b2N0\r\ncw==") + endPart, "", "octs"},
		{"quoted-printable", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>\r\nContent-Transfer-Encoding: Quoted-Printable", "oc=74s") + endPart, "", "octs"},
		{"quoted-printable as octets", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>\r\nContent-Transfer-Encoding: binary", "oc=74s") + endPart, "", "oc=74s"},
		{"folded header", related, rootPart + part("Content-Type: a/b;\r\n\tname=x\r\nContent-ID:\r\n <p@x>", "octs") + endPart, "", "octs"},
		{"percent-encoded id", related, rootPart + part("Content-Type: a/b\r\nContent-ID: < p%40x >", "octs") + endPart, "", "octs"},
		{"empty part", related, rootPart + "--b\r\nContent-Type: a/b\r\nContent-ID: <p@x>\r\n\r\n\r\n" + endPart, "", ""},
		{"part without even its line", related, rootPart + "--b\r\nContent-Type: a/b\r\nContent-ID: <p@x>\r\n\r\n--b--\r\n", "", ""},
		{"content that looks nearly like a delimiter", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>", "\r\n--a\r\n-b\r\n--\r\n\r\r\n") + endPart, "", "\r\n--a\r\n-b\r\n--\r\n\r\r\n"},
		{"white space after a delimiter", related, rootPart + strings.Replace(onePart, "--b\r\n", "--b \t\r\n", 1) + endPart, "", "octs"},

		{"start names no part", strings.Replace(related, "root@", "else@", 1), rootPart + onePart + endPart, MimeInconsistency, ""},
		{"other media type", "multipart/mixed; boundary=b", rootPart + endPart, MimeInconsistency, ""},
		{"SOAP 1.1", "text/xml", "<env/>", MimeInconsistency, ""},
		{"root of another type", `multipart/related; type="text/xml"; boundary=b`, rootPart + endPart, MimeInconsistency, ""},
		{"no boundary", "multipart/related", rootPart + endPart, MimeInconsistency, ""},
		{"boundary too long", "multipart/related; boundary=" + strings.Repeat("b", 71), rootPart + endPart, MimeInconsistency, ""},
		{"media type of nonsense", ";;;", "", MimeInconsistency, ""},
		{"two Content-IDs equal after decoding", related, rootPart + onePart + strings.Replace(onePart, "p@x", "p%40x", 1) + endPart, MimeInconsistency, ""},
		{"part with the id of the root", related, rootPart + strings.Replace(onePart, "p@x", "root@x", 1) + endPart, MimeInconsistency, ""},
		{"no Content-ID", related, rootPart + part("Content-Type: a/b", "x") + endPart, MimeInconsistency, ""},
		{"no Content-Type", related, rootPart + part("Content-ID: <p@x>", "x") + endPart, MimeInconsistency, ""},
		{"Content-Type twice", related, rootPart + part("Content-Type: a/b\r\nContent-Type: c/d\r\nContent-ID: <p@x>", "x") + endPart, MimeInconsistency, ""},
		{"Content-ID twice", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>\r\ncontent-id: <q@x>", "x") + endPart, MimeInconsistency, ""},
		{"unknown transfer encoding", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>\r\nContent-Transfer-Encoding: gzip", "x") + endPart, MimeInconsistency, ""},
		{"base64 of nonsense", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>\r\nContent-Transfer-Encoding: base64", "%%%%") + endPart, MimeInconsistency, ""},
		{"something after base64", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>\r\nContent-Transfer-Encoding: base64", "b2N0cw==\r\nAAAA") + endPart, MimeInconsistency, ""},
		{"nested multipart", related, rootPart + part("Content-Type: multipart/mixed; boundary=c\r\nContent-ID: <p@x>", "--c\r\n\r\n--c--") + endPart, MimeInconsistency, ""},
		{"truncated in a part", related, rootPart + onePart, MimeInconsistency, ""},
		{"truncated in the headers", related, rootPart + "--b\r\nContent-Type: a/b\r\n", MimeInconsistency, ""},
		{"truncated in the root", related, rootPart[:70], MimeInconsistency, ""},
		{"truncated last delimiter", related, rootPart + onePart + "--b-", MimeInconsistency, ""},
		{"empty body", related, "", MimeInconsistency, ""},
		{"only a closing delimiter", related, "--b--\r\n", MimeInconsistency, ""},
		{"endless preamble", related, strings.Repeat("x\r\n", 10000) + rootPart + endPart, MimeInconsistency, ""},
		{"something after the end", related, rootPart + onePart + endPart + "smuggled", MimeInconsistency, ""},
		{"endless epilogue", related, rootPart + onePart + endPart + strings.Repeat("\r\n", 10000), MimeInconsistency, ""},
		{"delimiter with more on its line", related, rootPart + strings.Replace(onePart, "--b\r\n", "--bc\r\n", 1) + endPart, MimeInconsistency, ""},
		{"bare line feeds", related, strings.ReplaceAll(rootPart+onePart+endPart, "\r\n", "\n"), MimeInconsistency, ""},
		{"endless headers", related, rootPart + part("Content-Type: a/b\r\nX: "+strings.Repeat("x", 20000), "x") + endPart, MimeInconsistency, ""},
		{"many headers", related, rootPart + part(strings.Repeat("X: y\r\n", 100)+"Content-Type: a/b", "x") + endPart, MimeInconsistency, ""},
		{"control character in a header", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p\x00@x>", "x") + endPart, MimeInconsistency, ""},
		{"escaped line break in an id", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p%0d%0a@x>", "x") + endPart, MimeInconsistency, ""},
		{"header without a colon", related, rootPart + part("Content-Type a/b", "x") + endPart, MimeInconsistency, ""},
		{"header with a space before the colon", related, rootPart + part("Content-ID : <p@x>", "x") + endPart, MimeInconsistency, ""},
		{"headers begin with a continuation", related, rootPart + part(" x\r\nContent-Type: a/b", "x") + endPart, MimeInconsistency, ""},
		{"thousands of parts", related, rootPart + many.String() + endPart, MimeInconsistency, ""},
		{"thousands of parts before the root", related, many.String() + rootPart + endPart, MimeInconsistency, ""},
		{"root over 1 MiB", related, strings.Replace(rootPart, "<env/>", strings.Repeat("<", MaxRoot+1), 1) + endPart, MimeInconsistency, ""},
		{"bare envelope over 1 MiB", SOAPType, strings.Repeat("<", MaxRoot+1), MimeInconsistency, ""},
		{"part over its limit", related, rootPart + part("Content-Type: a/b\r\nContent-ID: <p@x>", strings.Repeat("x", 200001)) + endPart, MimeInconsistency, ""},
		{"envelope in another encoding", strings.Replace(SOAPType, SOAPType, SOAPType+"; charset=UTF-16", 1), "<env/>", InvalidHeader, ""},
		{"root in another encoding", related, strings.Replace(rootPart, "UTF-8", "ISO-8859-1", 1) + endPart, InvalidHeader, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, in := range map[string]io.Reader{"at once": strings.NewReader(c.body), "byte by byte": iotest.OneByteReader(strings.NewReader(c.body))} {
				root, parts, err := take(in, c.contentType, Limits{Part: 200000}, inMemory)
				if CodeOf(err) != c.want {
					t.Fatalf("%s: %v, want %q", name, err, c.want)
				}
				if err != nil {
					continue
				}
				if string(root) != "<env/>" || len(parts) != 1 || parts[0].ID != "p@x" {
					t.Fatalf("%s: root %q, parts %v", name, root, parts)
				}
				if b, _ := ReadAll(parts[0].Content); string(b) != c.octets {
					t.Errorf("%s: octets %q, want %q", name, b, c.octets)
				}
			}
		})
	}
}

func TestBareEnvelope(t *testing.T) {
	root, parts, err := take(strings.NewReader("<env/>"), "Application/SOAP+xml;charset=utf-8", Limits{}, inMemory)
	if err != nil || string(root) != "<env/>" || parts != nil {
		t.Errorf("%q %v %v", root, parts, err)
	}
}

func TestMessageLimitIsOverAllParts(t *testing.T) {
	body := rootPart
	for i := range 3 {
		body += fmt.Sprintf("--b\r\nContent-Type: a/b\r\nContent-ID: <p%d@x>\r\n\r\n%s\r\n", i, strings.Repeat("x", 1000))
	}
	if _, _, err := take(strings.NewReader(body+endPart), related, Limits{Message: 2500}, inMemory); CodeOf(err) != MimeInconsistency {
		t.Error(err)
	}
	if _, _, err := take(strings.NewReader(body+endPart), related, Limits{Message: 3500}, inMemory); err != nil {
		t.Error(err)
	}
}

// What is packaged is read again, whatever the octets and however they arrive.
func TestPackageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var parts []Part
		for i := range rapid.IntRange(0, 5).Draw(t, "parts") {
			octets := []byte(rapid.StringMatching(`(\r|\n|-|b0|oots|[a-c\x00]){0,200}`).Draw(t, "octets"))
			parts = append(parts, Part{ID: fmt.Sprintf("p%d@x", i), Type: "application/octet-stream", Content: Bytes(octets)})
		}
		p := NewPackage([]byte("<env/>"), parts, "b0")
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(p.NewReader())
		if int64(len(body)) != p.Size() {
			t.Fatalf("%d octets, Size says %d", len(body), p.Size())
		}
		root, got, err := take(iotest.HalfReader(bytes.NewReader(body)), p.ContentType(), Limits{}, inMemory)
		if bytes.Contains(body, []byte("\r\n--oots-b0")) && err != nil && CodeOf(err) == MimeInconsistency && bytes.Count(body, []byte("--oots-b0")) > len(parts)+2 {
			return // a part happened to hold the delimiter
		}
		if err != nil {
			t.Fatal(err)
		}
		if string(root) != "<env/>" || len(got) != len(parts) {
			t.Fatalf("root %q, %d parts", root, len(got))
		}
		for i := range got {
			a, _ := ReadAll(got[i].Content)
			b, _ := ReadAll(parts[i].Content)
			if !bytes.Equal(a, b) || got[i].ID != parts[i].ID {
				t.Fatalf("part %d differs", i)
			}
		}
	})
}

// Large parts go to disk, are read back in place and leave nothing behind.
func TestDiskSpool(t *testing.T) {
	dir := t.TempDir()
	want := bytes.Repeat([]byte("0123456789abcdef"), 40000)
	for _, plain := range []bool{false, true} {
		c, err := Store(Disk{Dir: dir}, bytes.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		f := c.(*fileContent)
		if plain && f.mapped != nil { // as on a system without mappings
			f.unmap()
			f.mapped = nil
		}
		var out bytes.Buffer
		if n, err := io.Copy(&out, c.NewReader()); err != nil || n != int64(len(want)) || !bytes.Equal(out.Bytes(), want) {
			t.Errorf("WriteTo: %d octets, %v", n, err)
		}
		if err := iotest.TestReader(struct{ io.Reader }{c.NewReader()}, want); err != nil {
			t.Error(err)
		}
		r := c.NewReader()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error("closing twice:", err)
		}
		if _, err := r.Read(make([]byte, 10)); !errors.Is(err, os.ErrClosed) {
			t.Error("read after close:", err)
		}
		if _, err := io.Copy(io.Discard, r); !errors.Is(err, os.ErrClosed) {
			t.Error("copied after close:", err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d files left behind", len(left))
	}
}

// full is a spool whose disk is full after a few octets.
type full struct{ room int }

type fullWriter struct {
	bytes.Buffer
	room int
}

func (f full) Create() (SpoolWriter, error) { return &fullWriter{room: f.room}, nil }

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.Len()+len(p) > w.room {
		return 0, errors.New("no space left on device")
	}
	return w.Buffer.Write(p)
}
func (w *fullWriter) Seal() (Content, error) { return Bytes(w.Bytes()), nil }
func (w *fullWriter) Close() error           { return nil }

func TestFullDiskMeansLater(t *testing.T) {
	if _, _, err := take(strings.NewReader(rootPart+onePart+endPart), related, Limits{}, full{2}); CodeOf(err) != DeliveryFailure {
		t.Error(err)
	}
	if _, _, err := take(strings.NewReader(rootPart+onePart+endPart), related, Limits{}, full{100}); err != nil {
		t.Error(err)
	}
	if _, err := Store(full{2}, strings.NewReader("octets")); CodeOf(err) != DeliveryFailure {
		t.Error(err)
	}
	if _, err := Store(full{100}, (&Inflater{}).NewReader(Bytes("no gzip"))); CodeOf(err) != DecompressionFailure {
		t.Error(err)
	}
	if _, err := Compress(Bytes(strings.Repeat("x", 100)), 0, full{2}); CodeOf(err) != DeliveryFailure {
		t.Error(err)
	}
}

func TestInflationLimits(t *testing.T) {
	bomb, err := Compress(Bytes(make([]byte, 20<<20)), 9, inMemory)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		f     Inflater
		twice bool
		want  Code
	}{
		{"ratio", Inflater{}, false, DecompressionFailure},
		{"ratio allowed", Inflater{Ratio: 2000}, false, ""},
		{"part", Inflater{Ratio: 2000, Part: 10 << 20}, false, DecompressionFailure},
		{"message", Inflater{Ratio: 2000, Message: 30 << 20}, true, DecompressionFailure},
		{"message allowed", Inflater{Ratio: 2000, Message: 40 << 20}, true, ""},
	} {
		_, err := io.Copy(io.Discard, c.f.NewReader(bomb))
		if err == nil && c.twice {
			_, err = io.Copy(io.Discard, c.f.NewReader(bomb))
		}
		if CodeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzMIME(f *testing.F) {
	f.Add([]byte(rootPart+onePart+endPart), related)
	f.Add([]byte("x\r\n"+onePart+rootPart+endPart), related)
	f.Add([]byte("<env/>"), SOAPType)
	f.Add([]byte("--b\r\nContent-Type: application/soap+xml\r\nContent-Transfer-Encoding: base64\r\n\r\nPGVudi8+\r\n--b--"), "multipart/related; boundary=b")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		root, parts, err := take(bytes.NewReader(body), contentType, Limits{}, inMemory)
		root2, parts2, err2 := take(iotest.OneByteReader(bytes.NewReader(body)), contentType, Limits{}, inMemory)
		if (err == nil) != (err2 == nil) || !bytes.Equal(root, root2) || len(parts) != len(parts2) {
			t.Fatalf("the answer depends on how the octets arrive: %v, %v", err, err2)
		}
		if err != nil {
			return
		}
		// What was read can be packaged, and is read again as the same.
		again, _ := io.ReadAll(NewPackage(root, parts, "6f1c5a0e").NewReader())
		p := NewPackage(root, parts, "6f1c5a0e")
		if p.Check() != nil || bytes.Contains(body, []byte("6f1c5a0e")) {
			return
		}
		root3, parts3, err := take(bytes.NewReader(again), p.ContentType(), Limits{}, inMemory)
		if err != nil || !bytes.Equal(root, root3) || len(parts3) != len(parts) {
			t.Fatalf("packaged again: %v", err)
		}
		for i := range parts {
			a, _ := ReadAll(parts[i].Content)
			b, _ := ReadAll(parts3[i].Content)
			if parts[i].ID != parts3[i].ID || !bytes.Equal(a, b) {
				t.Fatalf("part %d differs", i)
			}
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	octets := bytes.Repeat([]byte("<rim:Slot name=\"x\"/>"), 400)
	for b.Loop() {
		if _, err := Compress(Bytes(octets), 0, inMemory); err != nil {
			b.Fatal(err)
		}
	}
}
