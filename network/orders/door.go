package orders

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/once-only/oots/testbed"
)

// mostOrder bounds an order, in octets.
const mostOrder = 64 << 10

// Door takes orders over HTTP, as docs/cases.md describes: each is posted as
// JSON with a bearer token, of which the door knows the SHA-256 alone. 501 says
// that the node does not offer it.
func Door(d testbed.Driver, token [sha256.Size]byte, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if sum := sha256.Sum256([]byte(given)); !ok || subtle.ConstantTimeCompare(sum[:], token[:]) != 1 {
			http.Error(w, "orders need the token of the test platform", http.StatusUnauthorized)
			return
		}
		var o testbed.Order
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostOrder))
		if err != nil || json.Unmarshal(body, &o) != nil || o.Do == "" {
			http.Error(w, `an order is JSON such as {"do": "request", "args": {}}`, http.StatusBadRequest)
			return
		}
		out, err := d.Drive(r.Context(), o)
		switch {
		case errors.Is(err, testbed.ErrUnsupported):
			http.Error(w, "this node does not offer that order", http.StatusNotImplemented)
			return
		case err != nil:
			log.Error("an order failed", "order", o.Do, "err", err)
			http.Error(w, "the order failed; the node's log says why", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // the platform may be gone
	})
	return mux
}

// ParseToken reads the SHA-256 of a token, in hexadecimal digits.
func ParseToken(digits string) (sum [sha256.Size]byte, err error) {
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != len(sum) {
		return sum, fmt.Errorf("%.80q is no SHA-256 in hexadecimal digits", digits)
	}
	return [sha256.Size]byte(raw), nil
}
