package testbed

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/once-only/oots/as4/ebms"
	cs "github.com/once-only/oots/commonservices"
	"github.com/once-only/oots/regrep"
	"github.com/once-only/oots/testbed/partner"
)

// questions are the queries that the platform can put to a directory.
var questions = map[string]struct{ path, query string }{
	"requirements":   {"eb/rest/search", cs.QueryRequirements},
	"evidence-types": {"eb/rest/search", cs.QueryEvidenceTypes},
	"data-services":  {"dsd/rest/search", cs.QueryDataServices},
}

func checkAsk(_ *Case, args []string) string {
	_, known := questions[args[0]]
	return need(known, "ask requirements, evidence-types or data-services")
}

// doAsk puts a query to the target's own directories (TDD 3.6.2). A key queryId
// stands for the query's own name.
func doAsk(ctx context.Context, p *player, args []string) verdict {
	in := p.Target.Instance
	if in == nil {
		return verdict{Unsupported, "the system has no directories of its own; give their address with --directory"}
	}
	rest, given := options(args[1:], "version", "as")
	pairs, err := p.pairsOf(rest)
	if err != nil {
		return broken("%v", err)
	}
	p.settle(ctx)
	question := questions[args[0]]
	q := url.Values{"queryId": {question.query}}
	for k, v := range pairs {
		q.Set(k, v)
	}
	if given["as"] == "" {
		given["as"] = "answer"
	}
	line := given["version"]
	if line == "" {
		line = string(cs.V20)
	}
	m, err := p.hear(ctx, in, question.path+"?"+q.Encode(), line)
	if err != nil {
		return fail("%v", err)
	}
	p.mail[given["as"]] = m
	p.heard = append(p.heard, m)
	return pass("HTTP %d, %d octets%s", m.Answer.StatusCode, len(m.Body()), p.codeOf(given["as"]))
}

// hear carries a query to a directory; line is that of Accept-Version, "none"
// for none.
func (p *player) hear(ctx context.Context, in *partner.Instance, query, line string) (*partner.Mail, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, in.Base+query, http.NoBody)
	if err != nil {
		return nil, errors.New("the address of the directories cannot be used")
	}
	r.Header.Set("Accept", regrep.MediaType)
	r.Header.Set("Accept-Encoding", "identity") // the digest is over the octets that travel
	if line != "none" {
		r.Header.Set(cs.HeaderAcceptVersion, line)
	}
	client := &http.Client{Transport: in.HTTP, Timeout: p.Patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return nil, errors.New("the directory does not answer")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, partner.MaxMail+1))
	switch {
	case len(body) > partner.MaxMail:
		return nil, errors.New("the directory answers without end")
	case err != nil:
		return nil, errors.New("the directory's answer breaks off")
	}
	return &partner.Mail{Header: ebms.UserMessage{Action: "QueryResponse"}, At: p.Clock.Now(), Answer: resp,
		Files: []partner.File{{Type: resp.Header.Get("Content-Type"), Data: body}}}, nil
}

// answerOf is what a directory answered, by its name in the case.
func (p *player) answerOf(name string) (*partner.Mail, error) {
	m := p.mail[name]
	if m == nil || m.Answer == nil {
		return nil, fmt.Errorf("no answer of a directory is called %q", name)
	}
	return m, nil
}

func checkStatus(_ *Case, args []string) string {
	_, ok := number(args[1])
	return need(ok, fmt.Sprintf("%q is no status of HTTP", args[1]))
}

func doStatus(_ context.Context, p *player, args []string) verdict {
	m, err := p.answerOf(args[0])
	if err != nil {
		return broken("%v", err)
	}
	if fmt.Sprint(m.Answer.StatusCode) != args[1] {
		return fail("HTTP %d came", m.Answer.StatusCode)
	}
	return pass("HTTP %d", m.Answer.StatusCode)
}

func doSigned(_ context.Context, p *player, args []string) verdict {
	m, err := p.answerOf(args[0])
	switch {
	case err != nil:
		return broken("%v", err)
	case len(p.Target.Instance.Roots) == 0:
		return verdict{Unsupported, "nobody gave the root under which the directories sign; give it with --directory-root"}
	}
	roots := x509.NewCertPool()
	for _, c := range p.Target.Instance.Roots {
		roots.AddCert(c)
	}
	h := m.Answer.Header
	signature := h.Get(cs.HeaderSignature)
	if signature == "" || h.Get(cs.HeaderDigest) == "" {
		return fail("the answer carries no header %s, or no %s", strings.ToLower(cs.HeaderSignature), strings.ToLower(cs.HeaderDigest))
	}
	if err := (&cs.Verifier{Roots: roots, Now: p.Clock.Now}).Verify(m.Body(), h.Get(cs.HeaderDigest), signature); err != nil {
		return fail("%v", err)
	}
	return pass("signed under the root")
}
