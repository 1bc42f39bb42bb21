package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/once-only/oots/as4"
	"github.com/once-only/oots/as4/ebms"
)

// AS4 is the store of an access point in this database.
func (db *DB) AS4() as4.Store { return as4Store{db} }

type as4Store struct{ db *DB }

const outgoingColumns = "message_id, party_type, party, conversation, envelope, parts, state, created_at, due, tries, code, detail, receipt"

func (s as4Store) Enqueue(ctx context.Context, m as4.Outgoing) error {
	parts, err := json.Marshal(m.Parts)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "INSERT INTO as4_outgoing ("+outgoingColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (message_id) DO NOTHING`,
			m.MessageID, m.To.Type, m.To.Value, m.Conversation, octets(m.Envelope), string(parts), string(m.State),
			millis(m.CreatedAt), millis(m.Due), m.Tries, string(m.Code), m.Detail, octets(m.Receipt))
		return expect(done, err, as4.ErrKnown)
	})
}

// expect wants one row to be touched, and gives the error none otherwise.
func expect(done sql.Result, err, none error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return none
}

func (s as4Store) Lease(ctx context.Context, now, until time.Time, n int) (leased []as4.Outgoing, err error) {
	// A look without the write lock first: the queue is empty most of the time.
	var due int
	if err := s.db.on(ctx).QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM as4_outgoing WHERE state = 'queued' AND due <= $1 LIMIT 1) AS due", millis(now)).Scan(&due); err != nil || due == 0 {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `UPDATE as4_outgoing SET due = $1 WHERE message_id IN (
			SELECT message_id FROM as4_outgoing WHERE state = 'queued' AND due <= $2 ORDER BY due LIMIT $3`+s.db.dialect.forUpdate+`)
			RETURNING `+outgoingColumns, millis(until), millis(now), n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scanOutgoing(rows)
			if err != nil {
				return err
			}
			leased = append(leased, m)
		}
		return rows.Err()
	})
	return leased, err
}

// scanner is a row, or the current one of rows.
type scanner interface{ Scan(into ...any) error }

func scanOutgoing(row scanner) (m as4.Outgoing, err error) {
	var parts string
	var created, due int64
	if err := row.Scan(&m.MessageID, &m.To.Type, &m.To.Value, &m.Conversation, &m.Envelope, &parts, &m.State,
		&created, &due, &m.Tries, &m.Code, &m.Detail, &m.Receipt); err != nil {
		return m, err
	}
	m.CreatedAt, m.Due = instant(created), instant(due)
	return m, json.Unmarshal([]byte(parts), &m.Parts)
}

func (s as4Store) Settle(ctx context.Context, m as4.Outgoing, t as4.Try, tell func(ctx context.Context) error) error {
	return s.db.Atomically(ctx, func(ctx context.Context) error {
		q := s.db.on(ctx)
		done, err := q.ExecContext(ctx, `UPDATE as4_outgoing SET state = $1, due = $2, tries = $3, code = $4, detail = $5, receipt = $6
			WHERE message_id = $7 AND state = 'queued'`,
			string(m.State), millis(m.Due), m.Tries, string(m.Code), m.Detail, octets(m.Receipt), m.MessageID)
		if err := expect(done, err, as4.ErrUnknown); err != nil {
			return err
		}
		if _, err := q.ExecContext(ctx, `INSERT INTO as4_try (message_id, number, at, status, code, detail) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (message_id, number) DO NOTHING`, m.MessageID, m.Tries, millis(t.At), t.Status, string(t.Code), t.Detail); err != nil {
			return err
		}
		return tell(ctx)
	})
}

func (s as4Store) Sent(ctx context.Context, id string) (as4.Outgoing, []as4.Try, error) {
	q := s.db.on(ctx)
	m, err := scanOutgoing(q.QueryRowContext(ctx, "SELECT "+outgoingColumns+" FROM as4_outgoing WHERE message_id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return m, nil, as4.ErrUnknown
	} else if err != nil {
		return m, nil, err
	}
	rows, err := q.QueryContext(ctx, "SELECT at, status, code, detail FROM as4_try WHERE message_id = $1 ORDER BY number", id)
	if err != nil {
		return m, nil, err
	}
	defer rows.Close()
	var tries []as4.Try
	for rows.Next() {
		var t as4.Try
		var at int64
		if err := rows.Scan(&at, &t.Status, &t.Code, &t.Detail); err != nil {
			return m, nil, err
		}
		t.At = instant(at)
		tries = append(tries, t)
	}
	return m, tries, rows.Err()
}

func (s as4Store) Keys(ctx context.Context) (keys []string, err error) {
	rows, err := s.db.on(ctx).QueryContext(ctx, "SELECT parts FROM as4_outgoing WHERE state = 'queued'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var parts []as4.StoredPart
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &parts); err != nil {
			return nil, err
		}
		for _, p := range parts {
			keys = append(keys, p.Key)
		}
	}
	return keys, rows.Err()
}

func (s as4Store) Receipt(ctx context.Context, from ebms.PartyID, id string) ([]byte, error) {
	r, err := s.Inbound(ctx, from, id)
	if errors.Is(err, as4.ErrUnknown) {
		return nil, nil
	}
	return r.Receipt, err
}

func (s as4Store) Receive(ctx context.Context, r as4.Received, deliver func(ctx context.Context) error) (receipt []byte, duplicate bool, err error) {
	err = s.db.Atomically(ctx, func(ctx context.Context) error {
		done, err := s.db.on(ctx).ExecContext(ctx, `INSERT INTO as4_received (party_type, party, message_id, at, envelope, receipt)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (party_type, party, message_id) DO NOTHING`,
			r.From.Type, r.From.Value, r.MessageID, millis(r.At), octets(r.Envelope), octets(r.Receipt))
		switch err := expect(done, err, as4.ErrKnown); {
		case errors.Is(err, as4.ErrKnown):
			duplicate = true
			receipt, err = s.Receipt(ctx, r.From, r.MessageID)
			return err
		case err != nil:
			return err
		}
		receipt = r.Receipt
		return deliver(ctx)
	})
	if err != nil {
		return nil, false, err
	}
	return receipt, duplicate, nil
}

func (s as4Store) Inbound(ctx context.Context, from ebms.PartyID, id string) (as4.Received, error) {
	r := as4.Received{From: from, MessageID: id}
	var at int64
	err := s.db.on(ctx).QueryRowContext(ctx, "SELECT at, envelope, receipt FROM as4_received WHERE party_type = $1 AND party = $2 AND message_id = $3",
		from.Type, from.Value, id).Scan(&at, &r.Envelope, &r.Receipt)
	if errors.Is(err, sql.ErrNoRows) {
		return as4.Received{}, as4.ErrUnknown
	}
	r.At = instant(at)
	return r, err
}

func (s as4Store) Forget(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, text := range []string{
			"DELETE FROM as4_received WHERE at < $1",
			"DELETE FROM as4_try WHERE message_id IN (SELECT message_id FROM as4_outgoing WHERE state <> 'queued' AND created_at < $1)",
			"DELETE FROM as4_outgoing WHERE state <> 'queued' AND created_at < $1",
		} {
			if _, err := tx.ExecContext(ctx, text, millis(before)); err != nil {
				return err
			}
		}
		return nil
	})
}
