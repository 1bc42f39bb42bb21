package official

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lestrrat-go/helium"
	"github.com/lestrrat-go/helium/xpath3"
	"github.com/lestrrat-go/helium/xsd"
)

// operations bounds one expression, so that no user's file can hang a run.
const operations = 50_000_000

// Judge runs the schemas and the Schematron files of a transaction over a
// message. It fails only on bytes that cannot be read at all; what could not
// be evaluated stands in the verdict. It is safe for concurrent use.
func (s *Set) Judge(ctx context.Context, raw []byte, t Transaction) (*Verdict, error) {
	doc, err := parse(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("the message %w", err)
	}
	v := &Verdict{Transaction: t}
	s.structure(ctx, doc, v)
	run := &run{ctx: ctx, doc: doc, order: xpath3.NewDocOrderCache(), nodes: map[string][]helium.Node{}, verdict: v}
	transactions := strings.Split(string(t), "+")
	for _, sch := range s.schematrons {
		if slices.Contains(transactions, string(sch.transaction)) {
			run.file(sch)
			v.Files = append(v.Files, sch.file)
			v.Rules = append(v.Rules, sch.rules...)
		}
	}
	if len(v.Files) == 0 {
		v.NotEvaluated = append(v.NotEvaluated, "no Schematron file for "+string(t)+" is in the folder")
	}
	return v, nil
}

// structure validates against the XSD files.
func (s *Set) structure(ctx context.Context, doc *helium.Document, v *Verdict) {
	ns := doc.DocumentElement().URI()
	if s.schema == nil || s.namespaces[ns] == "" {
		v.NotEvaluated = append(v.NotEvaluated, "no usable XML Schema of the namespace "+ns+" is in the folder")
		return
	}
	v.Schema = true
	said := helium.NewErrorCollector(ctx, helium.ErrorLevelNone)
	err := xsd.NewValidator(s.schema).Label("message").ErrorHandler(said).Validate(ctx, doc)
	if err == nil {
		return
	}
	if !errors.Is(err, xsd.ErrValidationFailed) {
		v.NotEvaluated = append(v.NotEvaluated, "XML Schema: "+err.Error())
		return
	}
	for _, e := range said.Errors() {
		f := Finding{Rule: RuleXSD, Severity: "FATAL", File: s.namespaces[ns], Message: strings.TrimSpace(e.Error())}
		var where *xsd.ValidationError
		if errors.As(e, &where) {
			f.Line, f.Message = where.Line, where.Element+": "+where.Message
		}
		v.Findings = append(v.Findings, f)
	}
}

// run evaluates Schematron files over one document.
type run struct {
	ctx     context.Context
	doc     *helium.Document
	order   *xpath3.DocOrderCache
	nodes   map[string][]helium.Node // of contexts without variables, by expression and prefixes
	verdict *Verdict
}

// scope is what an expression can see: prefixes, variables, conversions.
type scope struct {
	sch       *schematron
	variables map[string]xpath3.Sequence
}

func (r *run) file(sch *schematron) {
	top := scope{sch, map[string]xpath3.Sequence{}}
	if !r.bind(&top, sch.lets, r.doc, sch.file) {
		return
	}
	for _, p := range sch.patterns {
		in := scope{sch, maps.Clone(top.variables)}
		if r.bind(&in, p.lets, r.doc, sch.file) {
			r.pattern(in, p)
		}
	}
}

// pattern gives each node to the first of its rules that matches it, and to
// no other.
func (r *run) pattern(in scope, p pattern) {
	taken := map[helium.Node]bool{}
	for _, rule := range p.rules {
		for _, context := range rule.contexts {
			nodes, err := r.context(in, rule, context)
			if err != nil {
				r.broken(in.sch.file+": context "+context.String(), err)
				continue
			}
			for _, n := range nodes {
				if !taken[n] {
					taken[n] = true
					r.rule(in, rule, n)
				}
			}
		}
	}
}

func (r *run) context(in scope, rule rule, context *xpath3.Expression) ([]helium.Node, error) {
	key := context.String()
	if nodes, known := r.nodes[key]; known && rule.fixed {
		return nodes, nil
	}
	result, err := r.evaluate(in, context, r.doc)
	if err != nil {
		return nil, err
	}
	nodes, err := result.Nodes()
	if err == nil && rule.fixed {
		r.nodes[key] = nodes
	}
	return nodes, err
}

func (r *run) rule(in scope, rule rule, n helium.Node) {
	if len(rule.lets) > 0 {
		in.variables = maps.Clone(in.variables)
		if !r.bind(&in, rule.lets, n, rule.tests[0].id) {
			return
		}
	}
	for _, t := range rule.tests {
		result, err := r.evaluate(in, t.expr, n)
		var holds bool
		if err == nil {
			holds, err = xpath3.EBV(result.Sequence())
		}
		if err != nil {
			r.broken(t.id, err)
			continue
		}
		if holds != t.report {
			continue
		}
		r.verdict.Findings = append(r.verdict.Findings, Finding{
			Rule: t.id, Severity: severity(t.role), Role: t.role, File: in.sch.file,
			Line: line(n), Node: nodePath(n), Message: r.message(in, t.message, n),
		})
	}
}

func (r *run) bind(in *scope, lets []let, n helium.Node, where string) bool {
	for _, l := range lets {
		result, err := r.evaluate(*in, l.value, n)
		if err != nil {
			r.broken(where+": $"+l.name, err)
			return false
		}
		in.variables[l.name] = result.Sequence()
	}
	return true
}

func (r *run) message(in scope, parts []message, n helium.Node) string {
	var b strings.Builder
	for _, p := range parts {
		if p.expr == nil {
			b.WriteString(p.words)
		} else if result, err := r.evaluate(in, p.expr, n); err == nil {
			b.WriteString(result.StringValue())
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (r *run) evaluate(in scope, expr *xpath3.Expression, n helium.Node) (*xpath3.Result, error) {
	e := xpath3.NewEvaluator(xpath3.EvalBorrowing).StrictPrefixes().Namespaces(in.sch.namespaces).
		Variables(in.variables).DocOrderCache(r.order).OpLimit(operations)
	if in.sch.old {
		e = e.XPath10Compat()
	}
	return e.Evaluate(r.ctx, expr, n)
}

// broken notes what could not be evaluated, each once.
func (r *run) broken(what string, err error) {
	if said := what + ": " + err.Error(); !slices.Contains(r.verdict.NotEvaluated, said) {
		r.verdict.NotEvaluated = append(r.verdict.NotEvaluated, said)
	}
}

// severity reads role or flag. A rule without either is fatal.
func severity(role string) string {
	switch strings.ToLower(role) {
	case "warning", "warn":
		return "WARNING"
	case "info", "information", "caution":
		return "CAUTION"
	}
	return "FATAL"
}

// nodePath says where a node is, in names: /query:QueryResponse/rs:Exception/@code.
func nodePath(n helium.Node) string {
	var steps []string
	for ; n != nil; n = n.Parent() {
		switch n := n.(type) {
		case *helium.Attribute:
			steps = append(steps, "@"+n.Name())
		case *helium.Element:
			steps = append(steps, n.Name())
		}
	}
	slices.Reverse(steps)
	return "/" + strings.Join(steps, "/")
}
