package store

import (
	"strings"
	"testing"
)

// TestLookUpsUseTheirIndex: what is asked at every message must not walk
// through what is stored.
func TestLookUpsUseTheirIndex(t *testing.T) {
	db, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, index := range map[string]string{
		keysOfRow: "exchange_key_row (kind=? AND id=?)",
	} {
		var id, parent, unused int
		var detail string
		if err := db.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+query, "exchange", "1").Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(detail, index) {
			t.Errorf("%s: %s; want %s", query, detail, index)
		}
	}
}
