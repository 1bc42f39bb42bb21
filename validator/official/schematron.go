package official

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lestrrat-go/helium"
	"github.com/lestrrat-go/helium/xpath3"
)

const nsSchematron = "http://purl.oclc.org/dsdl/schematron"

// schematron is one compiled .sch file.
type schematron struct {
	file        string
	transaction Transaction
	old         bool // no queryBinding or "xslt": XPath 1.0 rules of conversion
	namespaces  map[string]string
	lets        []let
	patterns    []pattern
	rules       []string // ids of all assertions, in order
}

type let struct {
	name  string
	value *xpath3.Expression
}

type pattern struct {
	lets  []let
	rules []rule
}

type rule struct {
	contexts []*xpath3.Expression // the alternatives of the context attribute
	fixed    bool                 // the contexts use no variable: the same in every pattern
	lets     []let
	tests    []test
}

type test struct {
	id      string // of the assert or report, else file:line
	role    string // as written: role, or else flag
	report  bool   // fires when true instead of when false
	expr    *xpath3.Expression
	message []message
}

// message is a piece of an assertion's text: words, or an expression to show.
type message struct {
	words string
	expr  *xpath3.Expression
}

// compiler turns one file into a schematron. What it does not know is an
// error with the construct and its line: nothing is skipped in silence.
type compiler struct {
	sch       *schematron
	variables map[string]bool
}

type construct struct {
	line int
	name string
	text string
}

func (c *construct) Error() string { return c.name + ": " + c.text }

func unknown(e *helium.Element, text string) error {
	return &construct{line: e.Line(), name: e.Name(), text: text}
}

// compileSchematron reads a .sch file with XSLT 2 query binding, or with none.
func compileSchematron(ctx context.Context, file string, raw []byte) (_ *schematron, err error) {
	doc, err := parse(ctx, raw)
	if err != nil {
		return nil, err
	}
	root := doc.DocumentElement()
	if root.URI() != nsSchematron || root.LocalName() != "schema" {
		return nil, unknown(root, "the root element is not sch:schema of "+nsSchematron)
	}
	if _, phased := root.GetAttribute("defaultPhase"); phased {
		return nil, unknown(root, "defaultPhase is not supported")
	}
	c := &compiler{sch: &schematron{file: file, namespaces: map[string]string{}}, variables: map[string]bool{}}
	switch binding, _ := root.GetAttribute("queryBinding"); strings.ToLower(binding) {
	case "xslt2", "xslt3", "xpath2", "xpath3", "xpath31":
	case "", "xslt", "xpath":
		c.sch.old = true
	default:
		return nil, unknown(root, "query binding "+binding+" is not supported")
	}
	// Prefixes may be declared below their first use.
	for e := range helium.ChildElements(root) {
		if e.URI() == nsSchematron && e.LocalName() == "ns" {
			prefix, _ := e.GetAttribute("prefix")
			c.sch.namespaces[prefix], _ = e.GetAttribute("uri")
		}
	}
	for e := range helium.ChildElements(root) {
		switch name(e) {
		case "ns", "title", "p":
		case "let":
			err = c.let(e, &c.sch.lets)
		case "pattern":
			err = c.pattern(e)
		default:
			err = unknown(e, "this construct is not supported")
		}
		if err != nil {
			return nil, err
		}
	}
	c.sch.transaction = transactionOf(c.sch)
	return c.sch, nil
}

// name is the local name of a Schematron element, and "" of any other.
func name(e *helium.Element) string {
	if e.URI() != nsSchematron {
		return ""
	}
	return e.LocalName()
}

func (c *compiler) pattern(e *helium.Element) error {
	if err := c.only(e, "id", "see", "icon", "fpi", "name"); err != nil {
		return err
	}
	var p pattern
	outer := maps.Clone(c.variables)
	defer func() { c.variables = outer }()
	for child := range helium.ChildElements(e) {
		var err error
		switch name(child) {
		case "title", "p":
		case "let":
			err = c.let(child, &p.lets)
		case "rule":
			var r rule
			r, err = c.rule(child)
			p.rules = append(p.rules, r)
		default:
			err = unknown(child, "this construct is not supported")
		}
		if err != nil {
			return err
		}
	}
	c.sch.patterns = append(c.sch.patterns, p)
	return nil
}

func (c *compiler) rule(e *helium.Element) (r rule, err error) {
	if err := c.only(e, "context", "id", "role", "flag", "see", "icon", "fpi", "subject"); err != nil {
		return r, err
	}
	context, has := e.GetAttribute("context")
	if !has {
		return r, unknown(e, "the rule has no context")
	}
	r.fixed = true
	for _, alternative := range splitUnion(context) {
		if !strings.HasPrefix(alternative, "/") {
			alternative = "//" + alternative
		}
		expr, err := c.compile(e, alternative)
		if err != nil {
			return r, err
		}
		r.contexts = append(r.contexts, expr)
		r.fixed = r.fixed && len(expr.StaticReferences(c.sch.namespaces).FreeVariables) == 0
	}
	ruleRole := firstAttribute(e, "role", "flag")
	outer := maps.Clone(c.variables)
	defer func() { c.variables = outer }()
	// A let is seen by the whole rule, also by assertions above it.
	for child := range helium.ChildElements(e) {
		if name(child) == "let" {
			if err := c.let(child, &r.lets); err != nil {
				return r, err
			}
		}
	}
	for child := range helium.ChildElements(e) {
		switch name(child) {
		case "let", "p":
		case "assert", "report":
			t, err := c.test(child)
			if err != nil {
				return r, err
			}
			if t.role == "" {
				t.role = ruleRole
			}
			r.tests = append(r.tests, t)
		default:
			return r, unknown(child, "this construct is not supported")
		}
	}
	return r, nil
}

func (c *compiler) test(e *helium.Element) (t test, err error) {
	if err := c.only(e, "test", "id", "role", "flag", "see", "icon", "fpi", "subject", "xml:lang", "xml:space"); err != nil {
		return t, err
	}
	t.report = e.LocalName() == "report"
	t.role = firstAttribute(e, "role", "flag")
	if t.id, _ = e.GetAttribute("id"); t.id == "" {
		t.id = fmt.Sprintf("%s:%d", c.sch.file, e.Line())
	}
	source, has := e.GetAttribute("test")
	if !has {
		return t, unknown(e, "the "+e.LocalName()+" has no test")
	}
	if t.expr, err = c.compile(e, source); err != nil {
		return t, err
	}
	c.sch.rules = append(c.sch.rules, t.id)
	t.message, err = c.message(e, nil)
	return t, err
}

func (c *compiler) message(e *helium.Element, out []message) ([]message, error) {
	for n := range helium.Children(e) {
		switch n := n.(type) {
		case *helium.Text, *helium.CDATASection:
			out = append(out, message{words: string(n.Content())})
		case *helium.Element:
			var err error
			switch name(n) {
			case "emph", "span", "dir":
				out, err = c.message(n, out)
			case "value-of", "name":
				source := firstAttribute(n, "select", "path")
				if n.LocalName() == "name" {
					if source == "" {
						source = "."
					}
					source = "name(" + source + ")"
				}
				var expr *xpath3.Expression
				expr, err = c.compile(n, source)
				out = append(out, message{expr: expr})
			default:
				err = unknown(n, "this construct is not supported in a message")
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (c *compiler) let(e *helium.Element, lets *[]let) error {
	if err := c.only(e, "name", "value"); err != nil {
		return err
	}
	name, _ := e.GetAttribute("name")
	source, has := e.GetAttribute("value")
	if name == "" || !has {
		return unknown(e, "a let without name or value is not supported")
	}
	expr, err := c.compile(e, source)
	if err != nil {
		return err
	}
	c.variables[name] = true
	*lets = append(*lets, let{name, expr})
	return nil
}

// compile reads an expression and refuses what could only fail later: an
// undeclared prefix or variable, and a function that XPath does not have.
func (c *compiler) compile(e *helium.Element, source string) (*xpath3.Expression, error) {
	expr, err := xpath3.NewCompiler().Compile(source)
	if err == nil {
		err = expr.Validate(c.sch.namespaces)
	}
	if err != nil {
		return nil, unknown(e, fmt.Sprintf("the expression %q: %v", source, err))
	}
	refs := expr.StaticReferences(c.sch.namespaces)
	for _, v := range refs.FreeVariables {
		if !c.variables[v] {
			return nil, unknown(e, fmt.Sprintf("the expression %q uses the variable $%s, which no let above it declares", source, v))
		}
	}
	for _, f := range refs.FunctionNames {
		if forbidden[f.Name] || !xpath3.StandardFunctionAcceptsArity(f.URI, f.Name, f.Arity) {
			return nil, unknown(e, fmt.Sprintf("the expression %q calls %s(), which is not supported", source, f.Name))
		}
	}
	return expr, nil
}

// forbidden are functions that reach out of the message.
var forbidden = map[string]bool{"doc": true, "doc-available": true, "document": true, "collection": true, "uri-collection": true,
	"unparsed-text": true, "unparsed-text-lines": true, "unparsed-text-available": true, "json-doc": true,
	"environment-variable": true, "available-environment-variables": true, "load-xquery-module": true, "transform": true}

// only refuses attributes beyond those that are understood or are mere notes.
// abstract="false" says nothing.
func (c *compiler) only(e *helium.Element, known ...string) error {
	for _, a := range e.Attributes() {
		if a.Name() == "abstract" && a.Value() == "false" || slices.Contains(known, a.Name()) {
			continue
		}
		return unknown(e, "the attribute "+a.Name()+" is not supported")
	}
	return nil
}

func firstAttribute(e *helium.Element, names ...string) string {
	for _, n := range names {
		if v, ok := e.GetAttribute(n); ok && v != "" {
			return v
		}
	}
	return ""
}

// splitUnion splits a context at the | that stand outside of brackets and
// literals.
func splitUnion(context string) []string {
	var out []string
	depth, from, quote := 0, 0, byte(0)
	for i := 0; i < len(context); i++ {
		switch b := context[i]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '\'' || b == '"':
			quote = b
		case b == '(' || b == '[':
			depth++
		case b == ')' || b == ']':
			depth--
		case b == '|' && depth == 0:
			out = append(out, strings.TrimSpace(context[from:i]))
			from = i + 1
		}
	}
	return append(out, strings.TrimSpace(context[from:]))
}

var ruleID = regexp.MustCompile(`^(?:R-)?((?:EDM|EB|DSD|LCM|LBM)-[A-Z]+)-`)

// transactionOf reads from the first rule with an id which message a file is
// for. (Rules further down may be misfiled: the DSD's error file carries ids
// of the EDM's request.)
func transactionOf(s *schematron) Transaction {
	for _, p := range s.patterns {
		for _, r := range p.rules {
			for _, t := range r.tests {
				if m := ruleID.FindStringSubmatch(t.id); m != nil {
					return Transaction(strings.Replace(m[1], "LBM", "LCM", 1))
				}
			}
		}
	}
	return ""
}
