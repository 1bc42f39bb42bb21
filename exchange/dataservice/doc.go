// Package dataservice connects base registers to an Evidence Provider: each type
// is an exchange.DataService. Folder reads files, Table a table of records in a
// database, Backend any HTTP/JSON service described in configuration, Callback
// asks a national system by a signed HTTP request.
//
// They find candidates; who of them is meant is decided by the provider's
// matching policy, the same for all. What a register sends is bounded in size
// and count.
package dataservice

import (
	"errors"
	"strings"

	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// Bounds of what a register may give for one query.
const (
	MaxRecords = 200
	MaxFile    = 20 << 20 // octets of a document
	MaxAnswer  = 64 << 20 // octets of an answer
)

var errTooMuch = errors.New("data service: the register gives more than is taken")

// couldBe tells whether a holder is worth a closer look by the matching policy:
// the sieve that spares reading everybody's documents.
func couldBe(wanted, holder exchange.Subject) bool {
	switch {
	case wanted.NaturalPerson != nil && holder.NaturalPerson != nil:
		return wanted.NaturalPerson.DateOfBirth == holder.NaturalPerson.DateOfBirth
	case wanted.LegalPerson != nil && holder.LegalPerson != nil:
		w, h := wanted.LegalPerson, holder.LegalPerson
		return strings.EqualFold(w.LegalName, h.LegalName) || w.LegalIdentifier != nil && h.LegalIdentifier != nil && number(w.LegalIdentifier) == number(h.LegalIdentifier)
	}
	return false
}

// number is an eIDAS identifier without its countries.
func number(id *sdg.Identifier) string {
	return id.Value[strings.LastIndexByte(id.Value, '/')+1:]
}

// natural and legal make subjects out of plain columns.
func natural(family, given, born, identifier string) exchange.Subject {
	p := &sdg.Person{FamilyName: family, GivenName: given, DateOfBirth: born}
	if identifier != "" {
		p.Identifier = &sdg.Identifier{Scheme: "eidas", Value: identifier}
	}
	return exchange.Subject{NaturalPerson: p}
}

func legal(name, identifier string) exchange.Subject {
	p := &sdg.LegalPerson{LegalName: name}
	if identifier != "" {
		p.LegalIdentifier = &sdg.Identifier{Scheme: "eidas", Value: identifier}
	}
	return exchange.Subject{LegalPerson: p}
}
