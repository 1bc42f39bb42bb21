package dataservice

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// Table is a register in a database: a query that gives one row for each
// document.
type Table struct {
	DB *sql.DB
	// Query takes the evidence type, the date of birth and the legal name ($1 to
	// $3; the latter two empty where they do not apply) and gives the columns
	//
	//	holder, family_name, given_name, date_of_birth, identifier, legal_name,
	//	piece, title, issued_on, valid_from, valid_until, available_at,
	//	kind, media_type, language, model, data
	//
	// all texts, but available_at (Unix milliseconds, 0 for now) and data. Rows of
	// the same holder and piece are one piece of evidence. Empty means a table
	// "evidence_record" with these columns and evidence_type.
	Query string
}

// TableQuery is Table's query when it has no other.
const TableQuery = `SELECT holder, family_name, given_name, date_of_birth, identifier, legal_name,
	piece, title, issued_on, valid_from, valid_until, available_at, kind, media_type, language, model, data
	FROM evidence_record WHERE evidence_type = $1
	AND (date_of_birth = $2 AND $2 <> '' OR legal_name = $3 AND $3 <> '') ORDER BY holder, piece, kind, media_type, language`

// TableSchema makes the table that TableQuery reads, on SQLite; PostgreSQL says
// BYTEA for BLOB.
const TableSchema = `CREATE TABLE IF NOT EXISTS evidence_record (
	evidence_type TEXT NOT NULL, holder TEXT NOT NULL, family_name TEXT NOT NULL, given_name TEXT NOT NULL, date_of_birth TEXT NOT NULL,
	identifier TEXT NOT NULL, legal_name TEXT NOT NULL, piece TEXT NOT NULL, title TEXT NOT NULL, issued_on TEXT NOT NULL,
	valid_from TEXT NOT NULL, valid_until TEXT NOT NULL, available_at BIGINT NOT NULL, kind TEXT NOT NULL, media_type TEXT NOT NULL,
	language TEXT NOT NULL, model TEXT NOT NULL, data BLOB NOT NULL)`

// Records runs the query.
func (t Table) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	query := t.Query
	if query == "" {
		query = TableQuery
	}
	var born, name string
	s := q.Subject()
	if s.NaturalPerson != nil {
		born = s.NaturalPerson.DateOfBirth
	} else if s.LegalPerson != nil {
		name = s.LegalPerson.LegalName
	}
	rows, err := t.DB.QueryContext(ctx, query, q.Request.Evidence.Classification, born, name)
	if err != nil {
		return nil, fmt.Errorf("data table: %w", err)
	}
	defer rows.Close()
	out := &exchange.Records{}
	at := map[[2]string]int{}
	for n := 0; rows.Next(); n++ {
		var holder, family, given, born, identifier, company, piece, title, issued, from, until string
		var available int64
		var f exchange.File
		var kind string
		if err := rows.Scan(&holder, &family, &given, &born, &identifier, &company, &piece, &title, &issued, &from, &until, &available,
			&kind, &f.MediaType, &f.Language, &f.Model, &f.Data); err != nil {
			return nil, fmt.Errorf("data table: %w", err)
		}
		if n >= 4*MaxRecords || len(f.Data) > MaxFile {
			return nil, errTooMuch
		}
		i, known := at[[2]string{holder, piece}]
		if !known {
			r := exchange.Record{Holder: holder, Subject: natural(family, given, born, identifier), Piece: exchange.Piece{Title: title, IssuedOn: issued}}
			if company != "" {
				r.Subject = legal(company, identifier)
			}
			if from != "" || until != "" {
				r.Piece.Validity = &sdg.Period{Start: from, End: until}
			}
			i = len(out.All)
			at[[2]string{holder, piece}] = i
			out.All = append(out.All, r)
		}
		if available > 0 && time.UnixMilli(available).After(out.AvailableAt) {
			out.AvailableAt = time.UnixMilli(available).UTC()
		}
		p := &out.All[i].Piece
		if f.Kind = edm.DocumentKind(kind); f.Kind == "" || f.Kind == edm.MainEvidence {
			p.Forms = append(p.Forms, f)
		} else {
			p.Supplements = append(p.Supplements, f)
		}
	}
	return out, errors.Join(rows.Err())
}
