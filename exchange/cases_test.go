package exchange_test

import (
	"bytes"
	"testing"

	"github.com/once-only/oots/exchange"
)

// both runs a case in both lines of first class.
func both(t *testing.T, f func(t *testing.T, o options)) {
	for _, line := range []string{"oots-edm:v2.0", "oots-edm:v1.2"} {
		t.Run(line, func(t *testing.T) { f(t, options{lines: map[string][]string{"FI": {line}, "DE": {line}}}) })
	}
}

func TestTC01OnePDFWithoutPreview(t *testing.T) {
	both(t, func(t *testing.T, o options) {
		w := newWorld(t, o)
		x := w.ask(wish()).Exchanges[0]
		w.run()
		got := w.wantState(x.ID, exchange.Delivered, "")
		all := w.collect(x.ID)
		if len(all) != 1 || !bytes.Equal(all[0].Data, pdf) || all[0].MediaType != "application/pdf" || len(got.Doubts) != 0 {
			t.Fatalf("delivered %d documents, doubts %v", len(all), got.Doubts)
		}
		if string(got.Line) != o.lines["FI"][0] {
			t.Errorf("the exchange was in %s", got.Line)
		}
		wantWords(t, "to PT", w.actions("PT"), "ExecuteQueryResponse")
		wantWords(t, "log of PT", w.logged("PT", got.Requests[0]), "requester request_sent", "requester answer_received success")
		wantWords(t, "log of FI", w.logged("FI", got.Requests[0]), "provider request_received", "provider answer_sent success")
		wantWords(t, "log of FI by evidence", w.logged("FI", all[0].ID), "provider answer_sent success")
	})
}
