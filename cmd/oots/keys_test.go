package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/once-only/oots/pki"
)

func TestKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	command := func(args ...string) (int, string, string) {
		var out, err bytes.Buffer
		code := run(context.Background(), args, nil, &out, &err)
		return code, out.String(), err.String()
	}
	if code, out, errs := command("keys", "init", dir, "--party", "AP_FI_01"); code != 0 || !strings.Contains(out, "AP_FI_01") {
		t.Fatal(code, out, errs)
	}
	p, err := pki.LoadParty(filepath.Join(dir, "AP_FI_01"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := pki.ReadFile(filepath.Join(dir, "ca.pem"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := (&pki.Policy{Anchors: pki.Certificates(ca)}).Check(pki.Sign, p.Sign.Cert()); err != nil {
		t.Error(err)
	}
	code, out, _ := command("keys", "show", filepath.Join(dir, "AP_FI_01", pki.SignFile))
	for _, want := range []string{"private key with certificate", "CN=AP_FI_01", "RSA, 2048 bits", "good for    signing", "364 days left"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("show lacks %q:\n%s", want, out)
		}
	}
	if code, _, errs := command("keys", "init", dir); code != 2 || !strings.Contains(errs, "not empty") {
		t.Error("overwrote keys:", code, errs)
	}
	if code, _, errs := command("keys", "init", dir+"2", "--party", "../x"); code != 2 || !strings.Contains(errs, "name of a folder") {
		t.Error("left the folder:", code, errs)
	}
	if code, _, _ := command("keys", "show", filepath.Join(dir, "missing")); code != 2 {
		t.Error("missing file:", code)
	}
}
