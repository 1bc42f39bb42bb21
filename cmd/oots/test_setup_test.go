package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/once-only/oots/as4"
)

// fivePorts finds five free ports in a row on loopback.
func fivePorts(t *testing.T) int {
	for first := 18500; first < 60000; first += 5 {
		free := true
		for port := first; port < first+5; port++ {
			l, err := net.Listen("tcp", at(port))
			if err != nil {
				free = false
				break
			}
			l.Close()
		}
		if free {
			return first
		}
	}
	t.Fatal("there are no five free ports in a row")
	return 0
}

// TestTheReadmesWayToTestANode: the three commands that a newcomer types, the
// node serving from its own file.
func TestTheReadmesWayToTestANode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "try")
	var said, errs bytes.Buffer
	if code := run(t.Context(), []string{"test", "setup", dir, "--country", "EL", "--port", fmt.Sprint(fivePorts(t)), "--scale", "600"}, nil, &said, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	command := func(line string) []string { return strings.Fields(strings.TrimPrefix(line, "oots ")) }
	serve, play := command(lines[len(lines)-2]), command(lines[len(lines)-1])

	ctx, stop := context.WithCancel(t.Context())
	out, says := io.Pipe()
	served := make(chan int, 1)
	go func() {
		var log bytes.Buffer
		code := run(ctx, serve, nil, says, &log)
		if code != 0 {
			t.Logf("the node: %s", log.String())
		}
		says.Close()
		served <- code
	}()
	ready := make([]byte, 4096)
	for heard := ""; !strings.Contains(heard, "operations"); {
		n, err := out.Read(ready)
		if err != nil {
			t.Fatal("the node does not start")
		}
		heard += string(ready[:n])
	}
	for _, suite := range []string{"AS4-CONN", "AS4-PROF-042", "CS-DISC", "CS-QRY-DSD", "EID", "LCM", "LOG"} {
		var report bytes.Buffer
		play[2] = suite
		if code := run(t.Context(), play, nil, &report, &errs); code != 0 || !strings.Contains(report.String(), strings.TrimSuffix(suite, "-042")+": passed") {
			t.Errorf("%s ends with %d\n%s%s", suite, code, report.String(), errs.String())
		}
	}
	play[2] = "all"
	if code := run(t.Context(), append([]string{play[0], play[1], "LOG-001"}, append(play[3:], "--token", "wrong")...), nil, io.Discard, &errs); code != 1 {
		t.Errorf("a wrong token ends with %d", code)
	}
	stop()
	if code := <-served; code != 0 {
		t.Errorf("the node ends with %d", code)
	}
}

func TestSetupSendsAgainAsMuchFasterAsTheClocks(t *testing.T) {
	for scale, pause := range map[string]time.Duration{"1": 3 * time.Minute, "60": 3 * time.Second, "600": 300 * time.Millisecond} {
		dir := t.TempDir()
		if code := run(t.Context(), []string{"test", "setup", dir, "--scale", scale}, nil, io.Discard, io.Discard); code != 0 {
			t.Fatal(code)
		}
		mode, err := as4.ReadPMode(filepath.Join(dir, "pmode.toml"))
		if err != nil {
			t.Fatal(err)
		}
		if mode.Retry.Attempts != 4 || mode.Retry.Pause() != pause {
			t.Errorf("at the scale %s it sends %+v", scale, mode.Retry)
		}
	}
	for _, scale := range []string{"0", "-1", "10001"} {
		if code := run(t.Context(), []string{"test", "setup", t.TempDir(), "--scale=" + scale}, nil, io.Discard, io.Discard); code == 0 {
			t.Errorf("the scale %s is taken", scale)
		}
	}
}
