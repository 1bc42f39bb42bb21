package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/once-only/oots/acceleratormeter"
	"github.com/once-only/oots/access"
	"github.com/once-only/oots/ledger"
)

// Appended tells what a batch did.
type Appended struct {
	Schema int   `json:"schema"`
	Added  int   `json:"added" doc:"facts that are new"`
	Known  int   `json:"known" doc:"facts that were there already, with the same content"`
	Size   int64 `json:"size" doc:"entries of the ledger now"`
}

// SnapshotStep is a snapshot on its way to the public. A draft carries the
// proposals that the public document leaves out.
type SnapshotStep struct {
	Schema   int                       `json:"schema"`
	Snapshot acceleratormeter.Snapshot `json:"snapshot"`
}

func step(s acceleratormeter.Snapshot) SnapshotStep { return SnapshotStep{1, s} }

// Bearer is the token of a writing call.
type Bearer struct {
	Authorization string `header:"Authorization" hidden:"true"`
}

type created[T any] struct {
	Status int
	Body   T
}

// protected is an operation that asks for a token.
func protected(method, path, id, summary, tag string, scopes ...access.Scope) huma.Operation {
	op := operation(method, path, id, summary, tag)
	op.Description = "Needs a token with the scope " + words(scopes) + "."
	op.Security = []map[string][]string{{"token": {}}}
	return op
}

// write registers the writing calls.
func (a *api) write(h huma.API) {
	a.postFacts(h)
	a.snapshotSteps(h)
}

// postFacts is the batch: all facts or none, and none twice.
func (a *api) postFacts(h huma.API) {
	op := protected("POST", "/facts", "appendFacts", "Append facts: all of them or none; those known already are passed over", "Facts", access.WriteFacts, access.ImportFacts)
	op.Description += " With facts:write the asserter, and the verifier where a fact brings one, is the token's owner; with facts:import it may be anybody, and a fact may bring recorded_at."
	op.MaxBodyBytes, op.BodyReadTimeout = mostBody, 30*time.Second
	op.DefaultStatus = http.StatusCreated
	fact := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ledger.Fact](), true, "Fact")
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json":     {Schema: &huma.Schema{Type: "array", Items: fact}},
		"application/x-ndjson": {Schema: &huma.Schema{Type: "string", Description: "a fact a line"}},
	}}
	op.SkipValidateBody = true // the ledger's own table of kinds judges, and says more
	huma.Register(h, op, func(ctx context.Context, in *struct {
		Bearer
		ContentType string `header:"Content-Type" hidden:"true"`
		RawBody     []byte `contentType:"application/json"`
	}) (*created[Appended], error) {
		t, err := a.who(ctx, in.Authorization, access.WriteFacts, access.ImportFacts)
		if err != nil {
			return nil, a.fail(err)
		}
		facts, err := readFacts(in.ContentType, in.RawBody)
		if err != nil {
			return nil, a.fail(err)
		}
		add := a.Ledger.AppendHistory
		if !t.May(access.ImportFacts) {
			add = a.Ledger.Append
			if err := ownFacts(t, facts); err != nil {
				return nil, a.fail(err)
			}
		}
		if err := a.note(ctx, t, "appendFacts", fmt.Sprintf("facts: %d, first: %s", len(facts), facts[0].ID)); err != nil {
			return nil, err
		}
		done, err := add(ctx, facts...)
		if err != nil {
			return nil, a.fail(err)
		}
		a.Log.Info("facts appended", "token", t.ID, "added", done.Added, "known", done.Known)
		out := &created[Appended]{Status: http.StatusCreated, Body: Appended{1, done.Added, done.Known, done.Size}}
		if done.Added == 0 {
			out.Status = http.StatusOK
		}
		return out, nil
	})
}

// readFacts reads a JSON array of facts, or a fact a line. Which fact is wrong
// is told by its number, from 0 in an array and from 1 as a line.
func readFacts(contentType string, raw []byte) ([]ledger.Fact, error) {
	var lines [][]byte
	kind, _, _ := strings.Cut(contentType, ";")
	where := func(i int) string { return fmt.Sprintf("body[%d]", i) }
	switch strings.TrimSpace(strings.ToLower(kind)) {
	case "application/x-ndjson", "application/jsonl":
		where = func(i int) string { return fmt.Sprintf("body, line %d", i+1) }
		s := bufio.NewScanner(bytes.NewReader(raw))
		s.Buffer(nil, len(raw)+1)
		for s.Scan() {
			lines = append(lines, bytes.TrimSpace(s.Bytes()))
		}
	case "application/json", "":
		d := json.NewDecoder(bytes.NewReader(raw))
		var items []json.RawMessage
		if err := d.Decode(&items); err != nil {
			return nil, problem(http.StatusBadRequest, "bad-json", "the body is no JSON array of facts: %v", err)
		}
		if _, err := d.Token(); err != io.EOF {
			return nil, problem(http.StatusBadRequest, "bad-json", "something stands behind the JSON array of facts")
		}
		for _, item := range items {
			lines = append(lines, item)
		}
	default:
		p := problem(http.StatusUnsupportedMediaType, "media-type", "facts come as a JSON array or as a fact a line, not as %q", contentType)
		p.Valid = []string{"application/json", "application/x-ndjson"}
		return nil, p
	}
	var facts []ledger.Fact
	for i, line := range lines {
		if len(line) == 0 {
			continue
		}
		if len(facts) == mostFacts {
			return nil, problem(http.StatusRequestEntityTooLarge, "too-many-facts", "a batch has at most %d facts; send the rest in further ones: what is known already is passed over", mostFacts)
		}
		f, err := ledger.DecodeLine(line)
		if err == nil {
			err = ledger.Check(f)
		}
		if err != nil {
			return nil, refused(where(i), err)
		}
		facts = append(facts, f)
	}
	if len(facts) == 0 {
		return nil, problem(http.StatusUnprocessableEntity, "no-facts", "the batch holds no fact")
	}
	return facts, nil
}

// refused says which fact of a batch is wrong, and how.
func refused(where string, err error) error {
	p := problem(http.StatusUnprocessableEntity, "refused-fact", "%s: %v; nothing was appended", where, err)
	d := &huma.ErrorDetail{Location: where, Message: err.Error()}
	var r *ledger.Refusal
	if errors.As(err, &r) {
		d.Message = r.Reason
		if r.Field != "" {
			d.Location += "." + r.Field
		}
	}
	p.Errors = []*huma.ErrorDetail{d}
	return p
}

// ownFacts refuses facts that the token's owner may not assert or verify.
func ownFacts(t access.Token, facts []ledger.Fact) error {
	for i, f := range facts {
		for _, part := range []struct{ field, party string }{{"asserter", f.Asserter}, {"verifier", f.Verifier}} {
			if part.party == "" && part.field == "verifier" || t.Asserts(part.party) {
				continue
			}
			p := problem(http.StatusForbidden, "foreign-"+part.field, "fact %s names %q as %s, and this token belongs to %s; the scope %s lets an operator append for others",
				f.ID, part.party, part.field, t.Owner, access.ImportFacts)
			p.Errors = []*huma.ErrorDetail{{Location: fmt.Sprintf("body[%d].%s", i, part.field), Message: "is not the token's owner", Value: part.party}}
			return p
		}
	}
	return nil
}

// DraftBody asks for a new draft.
type DraftBody struct {
	AsOf     string `json:"as_of,omitempty" maxLength:"40" doc:"facts recorded up to here are seen: a date, a quarter or a time; empty: now"`
	Criteria string `json:"criteria_set,omitempty" maxLength:"40" doc:"empty: the official set"`
	Note     string `json:"note,omitempty" maxLength:"2000" doc:"shown to the public"`
	Reason   string `json:"reason,omitempty" maxLength:"2000" doc:"needed for an unscheduled or a correcting snapshot"`
}

type SnapshotPath struct {
	Bearer
	ID string `path:"id" maxLength:"80" doc:"id of the snapshot"`
}

// snapshotSteps are draft, approve, publish and correct. Who may do what after
// whom is the meter's business: the same owner never does two steps that need
// two people.
func (a *api) snapshotSteps(h huma.API) {
	draft := func(ctx context.Context, authorization string, in DraftBody, what string, corrects int) (*created[SnapshotStep], error) {
		t, err := a.who(ctx, authorization, access.DraftSnapshot)
		if err != nil {
			return nil, a.fail(err)
		}
		order := acceleratormeter.DraftOrder{By: t.Owner, Set: in.Criteria, Note: in.Note, Reason: in.Reason, Corrects: corrects}
		if order.AsOf, err = a.instant(ctx, in.AsOf); err != nil {
			return nil, a.fail(err)
		}
		on := ""
		if corrects > 0 {
			on = fmt.Sprintf("snapshot %d", corrects)
		}
		if err := a.note(ctx, t, what, on); err != nil {
			return nil, err
		}
		s, err := a.Meter.Draft(ctx, order)
		if err != nil {
			return nil, a.fail(err)
		}
		return &created[SnapshotStep]{http.StatusCreated, step(s)}, nil
	}
	op := protected("POST", "/snapshots", "draftSnapshot", "Draft a snapshot from the facts", "Publication", access.DraftSnapshot)
	op.DefaultStatus = http.StatusCreated
	huma.Register(h, op, func(ctx context.Context, in *struct {
		Bearer
		Body DraftBody
	}) (*created[SnapshotStep], error) {
		return draft(ctx, in.Authorization, in.Body, "draftSnapshot", 0)
	})
	op = protected("POST", "/snapshots/{id}/correct", "correctSnapshot", "Draft a snapshot that repairs a published one; give a reason", "Publication", access.DraftSnapshot)
	op.DefaultStatus = http.StatusCreated
	huma.Register(h, op, func(ctx context.Context, in *struct {
		SnapshotPath
		Body DraftBody
	}) (*created[SnapshotStep], error) {
		if _, err := a.who(ctx, in.Authorization, access.DraftSnapshot); err != nil {
			return nil, a.fail(err)
		}
		s, err := a.Meter.Get(ctx, in.ID)
		if err != nil {
			return nil, a.fail(err)
		}
		if s.State != acceleratormeter.Published {
			return nil, problem(http.StatusConflict, string(acceleratormeter.WrongState), "snapshot %s is %s; only a published one is corrected, a draft is drafted anew", s.ID, s.State)
		}
		return draft(ctx, in.Authorization, in.Body, "correctSnapshot", s.Sequence)
	})
	huma.Register(h, protected("POST", "/snapshots/{id}/approve", "approveSnapshot", "Approve a draft of another owner", "Publication", access.ApproveSnapshot),
		func(ctx context.Context, in *SnapshotPath) (*output[SnapshotStep], error) {
			t, err := a.who(ctx, in.Authorization, access.ApproveSnapshot)
			if err != nil {
				return nil, a.fail(err)
			}
			if err := a.note(ctx, t, "approveSnapshot", in.ID); err != nil {
				return nil, err
			}
			s, err := a.Meter.Approve(ctx, in.ID, t.Owner)
			if err != nil {
				return nil, a.fail(err)
			}
			return body(step(s)), nil
		})
	huma.Register(h, protected("POST", "/snapshots/{id}/publish", "publishSnapshot", "Publish what another owner approved: number, chain and sign it", "Publication", access.PublishSnapshot),
		func(ctx context.Context, in *SnapshotPath) (*output[SnapshotStep], error) {
			t, err := a.who(ctx, in.Authorization, access.PublishSnapshot)
			if err != nil {
				return nil, a.fail(err)
			}
			if err := a.note(ctx, t, "publishSnapshot", in.ID); err != nil {
				return nil, err
			}
			s, err := a.Meter.Publish(ctx, in.ID, t.Owner)
			if err != nil {
				return nil, a.fail(err)
			}
			a.Log.Info("snapshot published", "token", t.ID, "sequence", s.Sequence)
			return body(step(s)), nil
		})
	huma.Register(h, protected("GET", "/drafts", "listDrafts", "Drafts and approved snapshots, oldest first", "Publication", access.DraftSnapshot, access.ApproveSnapshot, access.PublishSnapshot),
		func(ctx context.Context, in *Bearer) (*output[ListView[SnapshotStep]], error) {
			if _, err := a.who(ctx, in.Authorization, access.DraftSnapshot, access.ApproveSnapshot, access.PublishSnapshot); err != nil {
				return nil, a.fail(err)
			}
			open, err := a.Meter.Open(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			steps := make([]SnapshotStep, len(open))
			for i, s := range open {
				steps[i] = step(s)
			}
			out := listed(steps)
			out.CacheControl = "private, no-store"
			return out, nil
		})
}
