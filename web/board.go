package web

// board is GET /{lang}/, where each country stands.
func (s *site) board(v *visit) (any, error) { return nil, nil }
