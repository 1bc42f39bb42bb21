package as4

import (
	"crypto/tls"
	"testing"
)

func TestReach(t *testing.T) {
	for _, c := range []struct {
		host, resolved string
		public, all    bool // allowed to the zero Reach, to one with Private
	}{
		{"ap.example.fi", "192.0.2.7:443", true, true},
		{"ap.example.fi", "[2001:db8::7]:443", true, true},
		{"127.0.0.1", "127.0.0.1:8443", true, true},
		{"localhost", "[::1]:8443", true, true},
		{"ap.example.fi", "127.0.0.1:443", false, true},
		{"ap.example.fi", "[::ffff:127.0.0.1]:443", false, true},
		{"ap.example.fi", "10.1.2.3:443", false, true},
		{"ap.example.fi", "172.16.0.1:443", false, true},
		{"ap.example.fi", "192.168.1.1:443", false, true},
		{"ap.example.fi", "169.254.169.254:80", false, true},
		{"ap.example.fi", "100.64.1.1:443", false, true},
		{"ap.example.fi", "0.0.0.0:443", false, true},
		{"ap.example.fi", "[fd00::1]:443", false, true},
		{"ap.example.fi", "[fe80::1]:443", false, true},
		{"localhost", "10.1.2.3:443", false, true},
	} {
		if got := (Reach{}).allow(c.host, c.resolved) == nil; got != c.public {
			t.Errorf("%s at %s: allowed %v, want %v", c.host, c.resolved, got, c.public)
		}
		if got := (Reach{Private: true}).allow(c.host, c.resolved) == nil; got != c.all {
			t.Errorf("%s at %s, private allowed: %v", c.host, c.resolved, got)
		}
	}
}

func TestHardenTLS(t *testing.T) {
	weak := &tls.Config{MinVersion: tls.VersionTLS10}
	if c := HardenTLS(weak); c.MinVersion != tls.VersionTLS12 || len(c.CipherSuites) != 6 || weak.MinVersion != tls.VersionTLS10 {
		t.Errorf("hardened to version %x with %d suites", c.MinVersion, len(c.CipherSuites))
	}
	if c := HardenTLS(&tls.Config{MinVersion: tls.VersionTLS13}); c.MinVersion != tls.VersionTLS13 {
		t.Errorf("version 1.3 became %x", c.MinVersion)
	}
	for _, id := range HardenTLS(nil).CipherSuites {
		for _, weak := range tls.InsecureCipherSuites() {
			if weak.ID == id {
				t.Errorf("%s is insecure", weak.Name)
			}
		}
	}
}
