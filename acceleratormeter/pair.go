package acceleratormeter

// PairState is what is known of an ordered pair: the row asks, the column answers.
type PairState string

const (
	PairNone     PairState = "none"     // not tried yet
	PairTried    PairState = "tried"    // tested, no verdict yet
	PairFailed   PairState = "failed"   // the last try did not work
	PairPartly   PairState = "partly"   // some required tests confirmed
	PairVerified PairState = "verified" // the baseline exchange (TC01 or TC06) confirmed by a monitor
)

// Pair is one cell of the matrix.
type Pair struct {
	Asks    string    `json:"asks"`    // requester's country
	Answers string    `json:"answers"` // provider's country
	State   PairState `json:"state"`
	Facts   []string  `json:"facts,omitempty"` // the peer tests that carry the state, best first
}

// Matrix holds every ordered pair of different countries, row by row in protocol
// order: 30 × 29 = 870 cells.
type Matrix struct {
	Countries []string `json:"countries"`
	Cells     []Pair   `json:"cells"`
}

// Pair is the cell of two different countries; the zero Pair if there is none.
func (m *Matrix) Pair(asks, answers string) Pair {
	n := len(m.Countries)
	i, j := index(m.Countries, asks), index(m.Countries, answers)
	if i < 0 || j < 0 || i == j || len(m.Cells) != n*(n-1) {
		return Pair{}
	}
	k := i*(n-1) + j
	if j > i {
		k--
	}
	return m.Cells[k]
}

// Count is the number of pairs in a state.
func (m *Matrix) Count(s PairState) int {
	n := 0
	for i := range m.Cells {
		if m.Cells[i].State == s {
			n++
		}
	}
	return n
}

// Among is the matrix of some of the countries, in the order given: a board of
// 27, or one sorted by level.
func (m *Matrix) Among(countries []string) Matrix {
	out := Matrix{Countries: countries}
	for _, a := range countries {
		for _, b := range countries {
			if a != b {
				out.Cells = append(out.Cells, m.Pair(a, b))
			}
		}
	}
	return out
}

func index(list []string, s string) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}
