package network_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
)

// resident is the memory of this process in MB, 0 where it cannot be told.
func resident() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kb / 1024
		}
	}
	return 0
}

// BenchmarkStart brings up a network of 30 nodes; MB is what it holds when it
// has been idle for two seconds.
func BenchmarkStart30(b *testing.B) {
	for b.Loop() {
		n, err := network.Start(context.Background(), network.Plan{States: 30})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		<-time.After(2 * time.Second)
		runtime.GC()
		b.ReportMetric(resident(), "MB")
		if err := n.Stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkExchange is a complete exchange between two nodes without preview:
// look-ups kept, request, answer with a PDF, both receipts, handed over.
func BenchmarkExchange(b *testing.B) {
	n := start(b, network.Plan{States: 2})
	nl := n.Node("NL")
	w := exchange.Wish{Procedure: "T2", Country: "FI", Subject: network.Natural("Alpha", "NL"), Languages: []string{"EN"}, Explicit: true}
	one := func() error {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		c, err := nl.Ask(ctx, w, "application/pdf")
		if err != nil {
			return err
		}
		x, err := nl.Await(ctx, c.Exchanges[0].ID)
		if err != nil {
			return err
		}
		_, err = nl.Requester.Collect(ctx, x.ID)
		return err
	}
	if err := one(); err != nil {
		b.Fatal(err)
	}
	var group sync.WaitGroup
	free := make(chan struct{}, 8)
	for b.Loop() {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			if err := one(); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "exchanges/s")
}
