package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/once-only/oots/ledger"
	"github.com/once-only/oots/web/opendata"
)

// FactsView is one page of the ledger as everybody may read it.
type FactsView struct {
	Schema int                   `json:"schema"`
	Size   int64                 `json:"size" doc:"entries of the ledger"`
	Facts  []opendata.PublicFact `json:"facts" nullable:"false"`
	Next   *int64                `json:"next" doc:"give this as \"from\" for the next page; null at the end"`
}

// ProofView shows that a fact is in the tree that the checkpoint vouches for.
type ProofView struct {
	Schema     int           `json:"schema"`
	ID         string        `json:"id"`
	Position   int64         `json:"position" doc:"from 0"`
	LeafHash   string        `json:"leaf_hash" doc:"hash of the leaf (RFC 6962), base64"`
	Leaf       string        `json:"leaf,omitempty" doc:"the octets that are hashed; left out where the fact is not for everybody"`
	TreeSize   int64         `json:"tree_size"`
	RootHash   ledger.Hash   `json:"root_hash"`
	Path       []ledger.Hash `json:"path" nullable:"false" doc:"audit path (RFC 6962), from the leaf upwards"`
	Checkpoint string        `json:"checkpoint,omitempty" doc:"signed note over size and root"`
}

// CheckpointView is the ledger's present head.
type CheckpointView struct {
	Schema     int         `json:"schema"`
	Size       int64       `json:"size"`
	RootHash   ledger.Hash `json:"root_hash"`
	Checkpoint string      `json:"checkpoint,omitempty" doc:"signed note; empty in a ledger without a key"`
}

// ConsistencyView shows that a later tree begins with an earlier one.
type ConsistencyView struct {
	Schema int `json:"schema"`
	ledger.Consistency
}

type IDInput struct {
	ID string `path:"id" maxLength:"400" doc:"id of the fact; a slash in it is written %2F"`
}

// readFacts registers what is read of the ledger.
func (a *api) readFacts(h huma.API) {
	huma.Register(h, operation("GET", "/facts", "listFacts", "Facts in the order of the ledger; what is not public shows as existing", "Facts"),
		func(ctx context.Context, in *struct {
			Country string    `query:"country" maxLength:"10" doc:"EU country code" example:"EL"`
			Kind    string    `query:"kind" maxLength:"40" doc:"kind of fact" example:"public_event"`
			Since   time.Time `query:"since" doc:"recorded at this time or later" example:"2026-01-01T00:00:00Z"`
			From    int64     `query:"from" minimum:"0" doc:"first position"`
			Limit   int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
		}) (*output[FactsView], error) {
			f := ledger.Filter{Kind: ledger.Kind(in.Kind), Since: in.Since, From: in.From, Limit: in.Limit + 1}
			if in.Country != "" {
				c, err := a.country(in.Country)
				if err != nil {
					return nil, a.fail(err)
				}
				f.Country = c.Code
			}
			if in.Kind != "" && ledger.RuleOf(f.Kind) == nil {
				p := problem(http.StatusBadRequest, "unknown-kind", "there is no kind %q of fact", in.Kind)
				for _, rule := range ledger.Kinds {
					p.Valid = append(p.Valid, string(rule.Kind))
				}
				return nil, p
			}
			head, err := a.Ledger.Head(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			out := body(FactsView{Schema: 1, Size: head.Size, Facts: []opendata.PublicFact{}})
			for e, err := range a.Ledger.Facts(ctx, f) {
				if err != nil {
					return nil, a.fail(err)
				}
				if len(out.Body.Facts) == in.Limit {
					next := e.Position
					out.Body.Next = &next
					q := url.Values{"from": {fmt.Sprint(next)}, "limit": {fmt.Sprint(in.Limit)}}
					for name, value := range map[string]string{"country": f.Country, "kind": in.Kind} {
						if value != "" {
							q.Set(name, value)
						}
					}
					if !in.Since.IsZero() {
						q.Set("since", in.Since.Format(time.RFC3339))
					}
					out.Link = "<" + a.BaseURL + prefix + "/facts?" + q.Encode() + `>; rel="next"`
					break
				}
				out.Body.Facts = append(out.Body.Facts, opendata.Disclose(e))
			}
			return out, nil
		})
	huma.Register(h, operation("GET", "/facts/{id}", "getFact", "One fact, as everybody may read it", "Facts"),
		func(ctx context.Context, in *IDInput) (*output[opendata.PublicFact], error) {
			e, err := a.Ledger.Fact(ctx, in.ID)
			if err != nil {
				return nil, a.fail(err)
			}
			return body(opendata.Disclose(e)), nil
		})
	huma.Register(h, operation("GET", "/facts/{id}/proof", "getProof", "Inclusion proof of a fact", "Facts"),
		func(ctx context.Context, in *struct {
			IDInput
			Size int64 `query:"size" minimum:"0" doc:"prove it in the tree of so many entries; 0: the present one"`
		}) (*output[ProofView], error) {
			p, err := a.Ledger.Proof(ctx, in.ID, in.Size)
			if err != nil {
				return nil, a.fail(err)
			}
			f, err := p.Fact()
			if err != nil {
				return nil, a.fail(err)
			}
			v := ProofView{Schema: 1, ID: p.ID, Position: p.Position, LeafHash: tlog.RecordHash([]byte(p.Leaf)).String(),
				TreeSize: p.Size, RootHash: p.Root, Path: p.Path, Checkpoint: p.Checkpoint}
			if opendata.Disclosed(&f) {
				v.Leaf = p.Leaf
			}
			return body(v), nil
		})
	huma.Register(h, operation("GET", "/checkpoint", "getCheckpoint", "The signed head of the ledger", "Facts"),
		func(ctx context.Context, _ *struct{}) (*output[CheckpointView], error) {
			note, err := a.Ledger.Checkpoint(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			head, err := a.Ledger.Head(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			return body(CheckpointView{1, head.Size, ledger.Hash(head.Root), string(note)}), nil
		})
	huma.Register(h, operation("GET", "/checkpoint/consistency", "getConsistency", "Proof that nothing was changed between two sizes of the ledger", "Facts"),
		func(ctx context.Context, in *struct {
			From int64 `query:"from" minimum:"1" required:"true" doc:"size of the earlier tree"`
			To   int64 `query:"to" minimum:"0" doc:"size of the later tree; 0: the present one"`
		}) (*output[ConsistencyView], error) {
			c, err := a.Ledger.Consistency(ctx, in.From, in.To)
			if err != nil {
				return nil, a.fail(err)
			}
			return body(ConsistencyView{1, *c}), nil
		})
}
