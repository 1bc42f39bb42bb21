package commonservices

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/sdg"
	"github.com/once-only/oots/xmltree"
)

// Decoded is what an answer of a directory says, whatever its line.
type Decoded struct {
	Line         Line // of the slot SpecificationIdentifier; "" in the shape of 1.0
	Requirements []sdg.Requirement
	Records      []sdg.DataServiceEvidenceType
	Refusal      *Refusal // the first exception, when nothing is asked
	Asked        []AskedBack
}

// AskedBack is one DSD:ERR:0005: the record that the directory could give and
// what the user must say first.
type AskedBack struct {
	Record   sdg.DataServiceEvidenceType
	Concepts []sdg.ClassificationConcept
	// Place is the older question for a place; lines 1.x.
	Place *sdg.JurisdictionDetermination
}

// limits of an answer; the catalogue of all countries has about 700 kB.
var limits = xmltree.Limits{Size: 16 << 20, Depth: 40}

// Decode reads an answer of a directory. A question of which one element cannot
// be read is a plain refusal: all is asked or nothing (TDD 3.1.4).
func Decode(body []byte) (*Decoded, error) {
	doc, err := xmltree.Parse(body, xmltree.Options{Limits: limits, KeepProcessing: true})
	if err != nil {
		return nil, err
	}
	r, err := regrep.ReadQueryResponse(doc.Root)
	if err != nil {
		return nil, err
	}
	d := &Decoded{}
	if s := r.Slots.Get("SpecificationIdentifier"); s != nil {
		v, err := regrep.As[regrep.String](s)
		if err != nil {
			return nil, err
		}
		d.Line = Line(v)
	}
	switch r.Status {
	case regrep.Success:
		return d, d.objects(r)
	case regrep.Failure:
		return d, d.exceptions(r)
	}
	return nil, fmt.Errorf("the status %.80q is neither Success nor Failure", r.Status)
}

func (d *Decoded) objects(r *regrep.QueryResponse) error {
	if len(r.Exceptions) > 0 || r.Objects == nil || len(*r.Objects) == 0 {
		return errors.New("a success without anything that can be read")
	}
	for _, o := range *r.Objects {
		if len(o.Slots) != 1 {
			return errors.New("a registry object without exactly one slot")
		}
		v, err := regrep.As[regrep.Any](&o.Slots[0])
		if err != nil {
			return err
		}
		switch o.Slots[0].Name {
		case "Requirement":
			x, err := sdg.Read[sdg.Requirement](v.Element, sdg.All)
			if err != nil {
				return err
			}
			d.Requirements = append(d.Requirements, *x)
		case "DataServiceEvidenceType":
			x, err := sdg.Read[sdg.DataServiceEvidenceType](v.Element, sdg.All)
			if err != nil {
				return err
			}
			d.Records = append(d.Records, *x)
		default:
			return fmt.Errorf("a registry object with the slot %.60q", o.Slots[0].Name)
		}
	}
	return nil
}

func (d *Decoded) exceptions(r *regrep.QueryResponse) error {
	if len(r.Exceptions) == 0 || r.Objects != nil {
		return errors.New("a failure without an exception, or with objects")
	}
	first := &r.Exceptions[0]
	d.Refusal = &Refusal{first.Code, first.Detail}
	if !slices.ContainsFunc(r.Exceptions, func(x regrep.Exception) bool { return x.Code != codeQuestion }) {
		for i := range r.Exceptions {
			q, err := askedBack(&r.Exceptions[i])
			if err != nil {
				d.Asked = nil
				return nil
			}
			d.Asked = append(d.Asked, *q)
		}
		d.Refusal = nil
	}
	return nil
}

func askedBack(x *regrep.Exception) (*AskedBack, error) {
	q := &AskedBack{}
	for i := range x.Slots {
		s := &x.Slots[i]
		switch s.Name {
		case "DataServiceEvidenceType":
			v, err := regrep.As[regrep.Any](s)
			if err != nil {
				return nil, err
			}
			record, err := sdg.Read[sdg.DataServiceEvidenceType](v.Element, sdg.All)
			if err != nil {
				return nil, err
			}
			q.Record = *record
		case "UserRequestedClassificationConcepts":
			v, err := regrep.As[regrep.Collection](s)
			if err != nil {
				return nil, err
			}
			for _, e := range v.Elements {
				c, err := sdg.Read[sdg.ClassificationConcept](e.Element, sdg.All)
				if err != nil {
					return nil, err
				}
				c.Type = strings.ToLower(c.Type)
				q.Concepts = append(q.Concepts, *c)
			}
		case "JurisdictionDetermination":
			v, err := regrep.As[regrep.Any](s)
			if err != nil {
				return nil, err
			}
			if q.Place, err = sdg.Read[sdg.JurisdictionDetermination](v.Element, sdg.All); err != nil {
				return nil, err
			}
		}
	}
	if q.Record.ID == "" || len(q.Concepts) == 0 && q.Place == nil {
		return nil, errors.New("a question without a record, or one that asks nothing")
	}
	return q, nil
}
