package lang

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// The roots of expressions beside the kinds.
const (
	localRoot = "local"
	varRoot   = "var"
)

// maxCompared bounds the work of finding near names in one load.
const maxCompared = 1_000_000

// scope is where expressions are evaluated: the roots, and what dynamic blocks add.
type scope struct {
	ctx       *hcl.EvalContext
	iterators []string
	unsure    bool // the iterators' values are unknown: content is checked, its values are dropped
}

// position says what an expression is for, so that a message can say what belongs there.
type position struct {
	attribute string // its name
	kind      string // of block that is to be referred to, or ""
	text      bool   // text belongs there
	constant  bool   // a variable's default: functions and env, no references
	given     bool   // constant, from outside: no env either
	want      string // the type of the variable whose value it is, or ""
	json      bool
	iterators []string
}

// checker finds what is wrong with an expression by its text alone, so that a mistake in a branch that is not
// taken, or inside try, is found too.
type checker struct {
	m         *Module
	d         *diagnostics
	at        position
	scopes    []map[string]struct{}
	templates int
	escaped   *hcl.Range
	bad       bool
}

// check tells whether an expression's names are all right, and reports those that are not.
func (m *Module) check(expr hclsyntax.Expression, at position, d *diagnostics) bool {
	if isLiteral(expr) {
		return true
	}
	c := &checker{m: m, d: d, at: at}
	hclsyntax.Walk(expr, c)
	return !c.bad
}

// isLiteral knows the most common expressions that hold no names.
func isLiteral(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return true
	case *hclsyntax.TemplateExpr:
		return e.IsStringLiteral()
	}
	return false
}

func (c *checker) report(rule Rule, at hcl.Range, summary, detail string) {
	c.add(Error(rule, at, summary, detail))
}

func (c *checker) add(d *hcl.Diagnostic) {
	if c.escaped != nil {
		d.Subject = c.escaped
	}
	c.bad = true
	c.d.add(d)
}

// Enter looks at a node before its children.
func (c *checker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch e := n.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		c.traversal(e.Traversal)
	case hclsyntax.ChildScope:
		c.scopes = append(c.scopes, e.LocalNames)
	case *hclsyntax.ForExpr:
		c.forNames(e)
	case *hclsyntax.FunctionCallExpr:
		c.call(e)
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		c.templates++
	case *escapedTemplate:
		c.templates++
		c.escaped = &e.rng
	}
	return nil
}

// Exit leaves a node.
func (c *checker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	switch n.(type) {
	case hclsyntax.ChildScope:
		c.scopes = c.scopes[:len(c.scopes)-1]
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		c.templates--
	case *escapedTemplate:
		c.templates--
		c.escaped = nil
	}
	return nil
}

// isRoot tells whether a name may not be used for anything else.
func (m *Module) isRoot(name string) bool {
	if name == localRoot || name == varRoot {
		return true
	}
	_, kind := m.names[name]
	return kind
}

// forNames refuses variables of a "for" that would hide a root.
func (c *checker) forNames(e *hclsyntax.ForExpr) {
	for _, name := range []string{e.KeyVar, e.ValVar} {
		if c.m.isRoot(name) {
			c.report(RuleReference, hcl.RangeBetween(e.OpenRange, e.CollExpr.StartRange()), fmt.Sprintf("Variable of a \"for\" named %q", name),
				fmt.Sprintf("%q is the root of references and cannot be hidden. Choose another name for the variable.", name))
		}
	}
}

const givenDetail = "What --var-file, --var and the environment give is a plain value: it may use functions, but no references, variables or locals, and no env(...)."

// call checks that a function exists.
func (c *checker) call(e *hclsyntax.FunctionCallExpr) {
	if e.Name == envFunction {
		switch {
		case c.at.given:
			c.report(RuleVariable, e.NameRange, "env may stand only in a variable's default", givenDetail)
		case !c.at.constant:
			c.report(RuleFunction, e.NameRange, "env may stand only in a variable's default",
				fmt.Sprintf("Declare a variable with %s, and write var.NAME here.", settingSample("default", "env(...)", c.at.json)))
		}
		return
	}
	if _, ok := c.m.scope.ctx.Functions[e.Name]; ok {
		return
	}
	names := make([]string, 0, len(c.m.scope.ctx.Functions))
	for name := range c.m.scope.ctx.Functions {
		names = append(names, name)
	}
	sort.Strings(names)
	why := absent[e.Name]
	if why == "" {
		why = strings.TrimSpace("There is no such function. " + Suggest(e.Name, names))
	}
	c.report(RuleFunction, e.NameRange, fmt.Sprintf("Unknown function %q", e.Name), why)
}

// traversal checks a.b.c: its root, and the name where that is literal.
func (c *checker) traversal(t hcl.Traversal) {
	root := t.RootName()
	for _, names := range c.scopes {
		if _, ok := names[root]; ok {
			return
		}
	}
	for _, name := range c.at.iterators {
		if name == root {
			return
		}
	}
	whole := t.SourceRange()
	switch {
	case !c.m.isRoot(root):
		c.unknownRoot(t)
	case c.at.given:
		c.report(RuleVariable, whole, "A variable's value refers to something", givenDetail)
	case c.at.constant:
		c.report(RuleVariable, whole, "A variable's default refers to something",
			"A default may use functions, also env, but no references, variables or locals. Use locals for values that depend on others.")
	case len(t) == 1 && (root == localRoot || root == varRoot):
		c.report(RuleReference, whole, fmt.Sprintf("%q without a name", root),
			fmt.Sprintf("Write %s.NAME: one of them can be used, all of them as a whole cannot.", root))
	case len(t) > 1:
		c.named(t)
	default:
		c.m.notes.kind(root)
	}
}

// stepName is the name that a step of a traversal selects.
func stepName(step hcl.Traverser) (string, bool) {
	switch s := step.(type) {
	case hcl.TraverseAttr:
		return s.Name, true
	case hcl.TraverseIndex:
		switch s.Key.Type() {
		case cty.String:
			return s.Key.AsString(), true
		case cty.Number:
			return s.Key.AsBigFloat().Text('f', -1), true
		}
	}
	return "", false
}

// named checks root.NAME.
func (c *checker) named(t hcl.Traversal) {
	root := t.RootName()
	name, ok := stepName(t[1])
	if !ok {
		c.m.notes.kind(root)
		return
	}
	c.m.notes.name(root, name)
	at := hcl.RangeBetween(t[:1].SourceRange(), t[1].SourceRange())
	if !c.m.names[root][name] {
		d := Error(RuleReference, at, missing(root, name), c.m.missingDetail(root, name, c.at.json))
		d.Extra = ruled{RuleReference, &Ref{root, name}}
		c.add(d)
		return
	}
	if len(t) > 2 && root != localRoot && root != varRoot {
		c.report(RuleReference, t.SourceRange(), "A reference has no attributes",
			fmt.Sprintf("%s is a reference: it can be listed, compared and handed on, not looked into. Share values through locals.", spelling(Ref{root, name}, c.at.json)))
	}
}

// missing is the summary for a name that does not stand in the text.
func missing(root, name string) string {
	switch root {
	case varRoot:
		return fmt.Sprintf("Undeclared variable %q", shorten(name))
	case localRoot:
		return fmt.Sprintf("Undeclared local %q", shorten(name))
	}
	return fmt.Sprintf("No %s named %q", root, shorten(name))
}

// near is the name of a kind that is nearest to a name. Thousands of names that are all missing are not compared
// with thousands of others.
func (m *Module) near(kind, name string) string {
	m.compared += len(m.names[kind])
	if m.compared > maxCompared {
		return ""
	}
	return nearest(name, m.Names(kind))
}

// missingDetail is the remedy for a name that does not stand in the text.
func (m *Module) missingDetail(root, name string, json bool) string {
	near := ""
	if n := m.near(root, name); n != "" {
		near = fmt.Sprintf("Did you mean %q?", n)
	}
	switch {
	case near != "":
		return near
	case root == varRoot:
		return "Declare it: " + blockSample(variableBlock, shorten(name), json)
	case root == localRoot:
		return "Declare it: " + localSample(shorten(name), json)
	case len(m.names[root]) == 0:
		return fmt.Sprintf("The configuration has no %s block. Write one: %s", root, blockSample(root, shorten(name), json))
	}
	return fmt.Sprintf("Write the name of %s block that exists, or add the block.", article(root))
}

// unknownRoot explains a name that is no root: most often text without quotes, or {id} written as ${id}.
func (c *checker) unknownRoot(t hcl.Traversal) {
	if !c.at.constant && c.unknownEach(t) {
		return
	}
	root, at := t.RootName(), t.SourceRange()
	summary := fmt.Sprintf("Unknown name %q", shorten(root))
	roots := append(append([]string{}, c.m.kinds...), localRoot, varRoot)
	for _, name := range c.at.iterators {
		roots = append(roots, name)
	}
	near := nearest(root, roots)
	switch {
	case c.at.constant:
		c.report(RuleVariable, at, summary, constantDetail(root, c.at.want))
	case root == "path" && len(t) > 1:
		c.report(RuleReference, at, summary, "Relative paths start at the configuration's root, whichever file they stand in: write the path alone, as in file(\"motd.txt\").")
	case len(t) == 1 && c.templates > 0 && (c.at.attribute == "path" || c.at.attribute == "path_prefix"):
		c.report(RuleReference, at, fmt.Sprintf("Path variable {%s} written as ${%s}", root, root),
			fmt.Sprintf("A variable of a path is written in braces alone: {%s}. ${...} inserts the value of an expression.", root))
	case len(t) == 1 && c.at.kind != "" && c.m.Has(c.at.kind, root):
		c.report(RuleReference, at, summary, fmt.Sprintf("Write: %s", spelling(Ref{c.at.kind, root}, c.at.json)))
	case near != "" && len(t) > 1:
		c.report(RuleReference, at, summary, fmt.Sprintf("Did you mean %q?", near))
	case len(t) == 1 && c.at.kind == "" && c.templates == 0 && c.at.text:
		c.report(RuleReference, at, summary, fmt.Sprintf("If it is meant as text, write it in quotes: %q. References start with %s.", root, alternatives(roots)))
	case len(t) == 1 && truths[strings.ToLower(root)] != "":
		c.report(RuleReference, at, summary, fmt.Sprintf("Write: %s", truths[strings.ToLower(root)]))
	default:
		c.report(RuleReference, at, summary, fmt.Sprintf("References start with %s.", alternatives(roots)))
	}
}

// alternatives joins names as a sentence does when one of them is to be chosen.
func alternatives(names []string) string {
	return strings.Replace(enumerate(names), " and ", " or ", 1)
}
