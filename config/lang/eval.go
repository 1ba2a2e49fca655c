package lang

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/weirproxy/weir/config/function"
)

// envFunction is the function that may stand only in a variable's default.
const envFunction = "env"

// evaluate is the value of an expression that was checked. It is unknown, and ok is false, after an error.
func (m *Module) evaluate(expr hclsyntax.Expression, ctx *hcl.EvalContext, d *diagnostics) (v cty.Value, ok bool) {
	if v, ok := m.plainReference(expr); ok {
		return v, true
	}
	m.notes.roots(m, expr)
	v, diags, err := m.meter.Evaluate(expr, ctx)
	v, ok = m.judged(v, diags, len(diags) > 0 && readsSensitive(expr, ctx), d)
	return v, m.bounded(err, expr.Range(), d) && ok
}

// plainReference is the value of the most common expression that is not a literal, KIND.NAME. It needs no map of all
// names, which takes its time where there are many.
func (m *Module) plainReference(expr hclsyntax.Expression) (cty.Value, bool) {
	e, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(e.Traversal) != 2 {
		return cty.NilVal, false
	}
	kind := e.Traversal.RootName()
	step, ok := e.Traversal[1].(hcl.TraverseAttr)
	typ, isKind := m.types[kind]
	if !ok || !isKind || !m.names[kind][step.Name] {
		return cty.NilVal, false
	}
	return cty.CapsuleVal(typ, &target{Kind: kind, Name: step.Name}), true
}

// bounded reports a value that takes too much; the work of the whole load is too much only once.
func (m *Module) bounded(err error, at hcl.Range, d *diagnostics) bool {
	var excess *function.Excess
	switch {
	case err == nil:
		return true
	case errors.As(err, &excess):
		d.error(RuleSize, at, excess.Summary, excess.Detail)
	default:
		d.faults++ // what is around is broken all the same
	}
	return false
}

// Inner is the template without what JSON put around it.
func (t *escapedTemplate) Inner() hclsyntax.Expression { return t.Expression }

// judged reports what HCL said of an expression, without its words where they may quote a secret.
func (m *Module) judged(v cty.Value, diags hcl.Diagnostics, secret bool, d *diagnostics) (cty.Value, bool) {
	for _, diag := range diags {
		d.add(m.inOurWords(diag, secret))
	}
	if diags.HasErrors() {
		return cty.DynamicVal, false
	}
	return v, true
}

// readsSensitive tells whether an expression reads a value that is, or holds, a sensitive one.
func readsSensitive(expr hclsyntax.Expression, ctx *hcl.EvalContext) bool {
	for _, t := range expr.Variables() {
		if v, diags := t[:min(2, len(t))].TraverseAbs(ctx); !diags.HasErrors() && v.ContainsMarked() {
			return true
		}
	}
	return false
}

// inOurWords makes a diagnostic of this package out of one of HCL's. The expression and its context are left out:
// a writer would print values from them.
func (m *Module) inOurWords(d *hcl.Diagnostic, secret bool) *hcl.Diagnostic {
	out := &hcl.Diagnostic{
		Severity: d.Severity, Summary: d.Summary, Detail: d.Detail, Subject: d.Subject, Context: d.Context,
		Extra: ruled{rule: RuleExpression},
	}
	if _, isCall := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); isCall {
		out.Extra = ruled{rule: RuleFunction}
	}
	switch {
	case misusedReference(d, out):
	case secret:
		out.Detail = "The words of this error are not shown: the expression uses a sensitive value, and they may quote it."
	default:
		m.explain(d, out)
	}
	return out
}

// explain finds better words for two mistakes that HCL describes by the types of values.
func (m *Module) explain(d, out *hcl.Diagnostic) {
	switch e := d.Expression.(type) {
	case *hclsyntax.IndexExpr:
		root, ok := e.Collection.(*hclsyntax.ScopeTraversalExpr)
		if !ok || len(root.Traversal) != 1 || d.Summary != "Invalid index" {
			return
		}
		key, diags := e.Key.Value(d.EvalContext)
		if kind := root.Traversal.RootName(); m.isRoot(kind) && !diags.HasErrors() && key.Type() == cty.String && key.IsKnown() && !key.IsNull() && !key.IsMarked() {
			name := key.AsString()
			out.Summary, out.Detail, out.Extra = missing(kind, name), m.missingDetail(kind, name, isJSON(d.Subject.Filename)), ruled{RuleReference, &Ref{kind, name}}
		}
	case *hclsyntax.ConditionalExpr:
		if d.Summary == "Inconsistent conditional result types" {
			explainCondition(e, d.EvalContext, out)
		}
	case *hclsyntax.ScopeTraversalExpr:
		if d.Summary == "Unsupported attribute" {
			m.explainAttribute(e.Traversal, d.EvalContext, out)
		}
	}
}

// explainAttribute follows a traversal as far as it goes and says what is there.
func (m *Module) explainAttribute(t hcl.Traversal, ctx *hcl.EvalContext, out *hcl.Diagnostic) {
	for n := 1; n < len(t); n++ {
		v, diags := t[:n].TraverseAbs(ctx)
		if diags.HasErrors() {
			return
		}
		if _, more := t[:n+1].TraverseAbs(ctx); !more.HasErrors() {
			continue
		}
		name, _ := stepName(t[n])
		switch ty := v.Type(); {
		case ty.IsCapsuleType():
			out.Summary, out.Extra = "A reference has no attributes", ruled{rule: RuleReference}
			out.Detail = "A reference can be listed, compared and handed on, not looked into. Share values through locals."
		case ty.IsObjectType():
			var names []string
			for attr := range ty.AttributeTypes() {
				names = append(names, attr)
			}
			out.Detail = strings.TrimSpace(fmt.Sprintf("The object has no attribute %q. %s", name, Suggest(name, names)))
		}
		return
	}
}
