package edm

import (
	"time"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
)

// profile is how one line writes and reads the model. Each line has a file.
type profile struct {
	line      Line
	words     sdg.Generation
	rootLang  bool     // query:QueryRequest may carry xml:lang
	packaged  bool     // responses hold packages; else documents directly
	header    []string // names of the message properties
	request   []slot[Request]
	query     []slot[Request] // under query:Query
	response  []slot[Response]
	failure   []slot[ErrorResponse]
	exception []slot[Exception]
}

// profiles are in the order of Lines.
func profiles() []*profile { return []*profile{&v20, &v12, &v11, &v10} }

func profileOf(line Line) *profile {
	for _, p := range profiles() {
		if p.line == line {
			return p
		}
	}
	return nil
}

// slot is one row of a profile: a slot of a message, in the customary order.
type slot[M any] struct {
	name  string
	must  bool
	read  func(p *profile, m *M, s *regrep.Slot) error
	write func(p *profile, m *M) regrep.Value // nil leaves it out
}

// optional lets a slot be absent.
func (s slot[M]) optional() slot[M] { s.must = false; return s }

// also adds a check of what was read or is to be written.
func (s slot[M]) also(check func(*M) string) slot[M] {
	read := s.read
	s.read = func(p *profile, m *M, sl *regrep.Slot) error {
		if err := read(p, m, sl); err != nil {
			return err
		}
		if wrong := check(m); wrong != "" {
			return regrep.Refuse(sl.At, "%s", wrong)
		}
		return nil
	}
	return s
}

// readSlots fills a message from its slots; others than those of the rows,
// and slots that stand twice, are refused.
func readSlots[M any](p *profile, rows []slot[M], m *M, slots regrep.Slots, missing func(name string) error) error {
	names := make([]string, 0, 16)
	for i := range rows {
		names = append(names, rows[i].name)
	}
	if err := slots.Closed(names...); err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		s := slots.Get(row.name)
		switch {
		case s != nil:
			if err := row.read(p, m, s); err != nil {
				return err
			}
		case row.must:
			return missing(row.name)
		}
	}
	return nil
}

// writeSlots makes the slots of a message. What another line could say and
// this one cannot is an error.
func writeSlots[M any](p *profile, m *M, of func(*profile) []slot[M]) (regrep.Slots, error) {
	rows := of(p)
	slots := make(regrep.Slots, 0, len(rows))
	known := make(map[string]bool, len(rows))
	for i := range rows {
		row := &rows[i]
		known[row.name] = true
		v := row.write(p, m)
		if v == nil {
			if row.must {
				return nil, cannot("the slot %s has no value", row.name)
			}
			continue
		}
		slots = append(slots, regrep.Slot{Name: row.name, Value: v})
	}
	for _, other := range profiles() {
		for _, row := range of(other) {
			if !known[row.name] && row.write(other, m) != nil {
				return nil, cannot("the slot %s cannot be said in %s", row.name, p.line)
			}
		}
	}
	return slots, nil
}

// specification is the slot that names the line.
func specification[M any](set func(*M, Line)) slot[M] {
	return slot[M]{"SpecificationIdentifier", true,
		func(p *profile, m *M, s *regrep.Slot) error {
			_, err := regrep.As[regrep.String](s)
			set(m, p.line)
			return err
		},
		func(p *profile, _ *M) regrep.Value { return regrep.String(p.line) },
	}
}

func text[M any](name string, at func(*M) *string) slot[M] {
	return slot[M]{name, true,
		func(_ *profile, m *M, s *regrep.Slot) error {
			v, err := regrep.As[regrep.String](s)
			*at(m) = string(v)
			return err
		},
		func(_ *profile, m *M) regrep.Value {
			if *at(m) == "" {
				return nil
			}
			return regrep.String(*at(m))
		},
	}
}

// code is a code in a text that pretends to have a language (line 1.x).
func code[M any](name string, at func(*M) *string) slot[M] {
	return slot[M]{name, true,
		func(_ *profile, m *M, s *regrep.Slot) error {
			v, err := regrep.As[regrep.International](s)
			if err != nil {
				return err
			}
			for _, t := range v {
				if t.Value != v[0].Value {
					return regrep.Refuse(s.At, "the slot %s holds two different codes", s.Name)
				}
			}
			*at(m) = v[0].Value
			return nil
		},
		func(_ *profile, m *M) regrep.Value {
			if *at(m) == "" {
				return nil
			}
			return regrep.International{{Lang: "EN", Value: *at(m)}}
		},
	}
}

func texts[M any](name string, at func(*M) *[]sdg.Text) slot[M] {
	return slot[M]{name, true,
		func(_ *profile, m *M, s *regrep.Slot) error {
			v, err := regrep.As[regrep.International](s)
			*at(m) = v
			return err
		},
		func(_ *profile, m *M) regrep.Value {
			if len(*at(m)) == 0 {
				return nil
			}
			return regrep.International(*at(m))
		},
	}
}

func moment[M any](name string, at func(*M) *time.Time) slot[M] {
	return slot[M]{name, true,
		func(_ *profile, m *M, s *regrep.Slot) error {
			v, err := regrep.As[regrep.DateTime](s)
			*at(m) = time.Time(v)
			return err
		},
		func(_ *profile, m *M) regrep.Value {
			if at(m).IsZero() {
				return nil
			}
			return regrep.DateTime(*at(m))
		},
	}
}

func flag[M any](name string, at func(*M) *bool) slot[M] {
	return slot[M]{name, true,
		func(_ *profile, m *M, s *regrep.Slot) error {
			v, err := regrep.As[regrep.Boolean](s)
			*at(m) = bool(v)
			return err
		},
		func(_ *profile, m *M) regrep.Value { return regrep.Boolean(*at(m)) },
	}
}

// record is a slot with one record that is always there.
func record[M, T any, P sdg.Record[T]](name string, at func(*M) *T) slot[M] {
	return slot[M]{name, true,
		func(p *profile, m *M, s *regrep.Slot) error {
			v, err := readRecord[T, P](p, s)
			if err == nil {
				*at(m) = *v
			}
			return err
		},
		func(p *profile, m *M) regrep.Value { return sdg.Value[T, P](at(m), p.words) },
	}
}

// pointer is a slot with one record that may be absent.
func pointer[M, T any, P sdg.Record[T]](name string, at func(*M) **T) slot[M] {
	return slot[M]{name, false,
		func(p *profile, m *M, s *regrep.Slot) (err error) {
			*at(m), err = readRecord[T, P](p, s)
			return err
		},
		func(p *profile, m *M) regrep.Value {
			if *at(m) == nil {
				return nil
			}
			return sdg.Value[T, P](*at(m), p.words)
		},
	}
}

func readRecord[T any, P sdg.Record[T]](p *profile, s *regrep.Slot) (*T, error) {
	v, err := regrep.As[regrep.Any](s)
	if err != nil {
		return nil, err
	}
	return sdg.Read[T, P](v.Element, p.words)
}

// records is a slot with a collection of records.
func records[M, T any, P sdg.Record[T]](name string, at func(*M) *[]T) slot[M] {
	return slot[M]{name, true,
		func(p *profile, m *M, s *regrep.Slot) error {
			v, err := regrep.As[regrep.Collection](s)
			if err != nil {
				return err
			}
			list := make([]T, 0, len(v.Elements))
			for _, e := range v.Elements {
				t, err := sdg.Read[T, P](e.Element, p.words)
				if err != nil {
					return err
				}
				list = append(list, *t)
			}
			*at(m) = list
			return nil
		},
		func(p *profile, m *M) regrep.Value {
			if len(*at(m)) == 0 {
				return nil
			}
			return sdg.Values[T, P](*at(m), p.words)
		},
	}
}
