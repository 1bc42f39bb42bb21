package network_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/network"
)

func start(t testing.TB, p network.Plan) *network.Network {
	t.Helper()
	n, err := network.Start(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func soon(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(stop)
	return ctx
}

func TestTwoNodesExchangeEvidence(t *testing.T) {
	n := start(t, network.Plan{States: 2})
	ctx, nl := soon(t), n.Node("NL")
	c, err := nl.Ask(ctx, exchange.Wish{Procedure: "T2", Country: "FI", Subject: network.Natural("Alpha", "NL"), Languages: []string{"EN"}, Explicit: true}, "application/pdf")
	if err != nil {
		t.Fatal(err)
	}
	x, err := nl.Await(ctx, c.Exchanges[0].ID)
	if err != nil || x.State != exchange.Delivered {
		t.Fatalf("the exchange is %s, %+v, %v", x.State, x.Problem, err)
	}
	all, err := nl.Requester.Collect(ctx, x.ID)
	if err != nil || len(all) != 1 || !bytes.HasPrefix(all[0].Data, []byte("%PDF-")) {
		t.Fatalf("%d documents, %v", len(all), err)
	}
}
