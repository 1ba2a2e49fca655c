package function

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// What expressions may make, beside what one call may. Ten thousand upstreams of ten nodes each, computed by one
// expression, take half of it.
const (
	maxMade      = 1_000_000  // elements that one expression makes, and that one value has
	maxMadeText  = 64 << 20   // bytes of text of the same
	maxKept      = 2_000_000  // elements of all locals
	maxKeptText  = 256 << 20  // bytes of all locals
	maxRepeated  = 500_000    // blocks that dynamic blocks make
	maxWork      = 60_000_000 // elements looked at in one load: some seconds
	workOfStep   = 10         // of evaluating one part of an expression once
	textPerStep  = 64         // bytes that take as long as an element
	remedyOfSize = "; nothing that serves needs that. Make it smaller."
)

// Excess is the error of an expression that would make, or take, more than there is.
type Excess struct{ Summary, Detail string }

func (e *Excess) Error() string { return e.Summary + ": " + e.Detail }

// Those that one expression, or all together, can be guilty of.
var (
	excessElements = &Excess{"Value is too large", fmt.Sprintf("The expression makes more than %d elements%s", maxMade, remedyOfSize)}
	excessText     = &Excess{"Value is too large", fmt.Sprintf("The expression makes more than %d bytes of text%s", maxMadeText, remedyOfSize)}
	excessKept     = &Excess{"Locals are too large", fmt.Sprintf("All locals up to this one make more than %d elements, or more than %d bytes of text%s", maxKept, maxKeptText, remedyOfSize)}
	excessBlocks   = &Excess{"Too many dynamic blocks", fmt.Sprintf("The dynamic blocks of the configuration make more than %d blocks%s", maxRepeated, remedyOfSize)}
	excessNumber   = &Excess{"Number has too many digits", fmt.Sprintf("A number here has more than %d digits%s", maxDigits, remedyOfSize)}
	excessWork     = &Excess{"Configuration takes too much work", fmt.Sprintf("All expressions up to this one look at more than %d elements%s", maxWork, remedyOfSize)}
)

// Meter bounds what the expressions of one load make and how long they take, which HCL does not: a loop in a loop
// in a loop, or a text twice in a text twice in a text, is a line of a file and more than all memory. It is for one
// goroutine.
//
// It works by putting itself between an expression and its parts. Where too much is made, all parts are unknown from
// then on, at no cost, so that whatever loop goes on comes to its end.
type Meter struct {
	run         int     // counts evaluations
	made, bytes int     // of this evaluation
	excess      *Excess // of this evaluation
	work        int     // of all
	kept        weigher
	repeated    int
	spent       bool // all together was too much, and that was said
}

// Evaluate is the expression's value. The error is an *Excess, or ErrSpent; with it the value is unknown.
func (m *Meter) Evaluate(expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics, error) {
	if m.spent {
		return cty.DynamicVal, nil, ErrSpent
	}
	m.run++
	m.made, m.bytes, m.excess = 0, 0, nil
	v, diags := m.within(expr, ctx)
	if m.excess == nil {
		m.take(v, false)
	}
	if m.excess == nil {
		return v, diags, nil
	}
	m.spent = m.excess == excessWork
	return cty.DynamicVal, diags, m.excess
}

// Effort is what was used of the bounds of a whole load.
type Effort struct{ Work, Repeated, Kept, KeptText int }

// Add is the effort of both.
func (e Effort) Add(other Effort) Effort {
	return Effort{e.Work + other.Work, e.Repeated + other.Repeated, e.Kept + other.Kept, e.KeptText + other.KeptText}
}

// Less is the effort without that of a part.
func (e Effort) Less(part Effort) Effort {
	return e.Add(Effort{-part.Work, -part.Repeated, -part.Kept, -part.KeptText})
}

// Fits tells whether a load may take so much.
func (e Effort) Fits() bool {
	return e.Work <= maxWork && e.Repeated <= maxRepeated && e.Kept <= maxKept && e.KeptText <= maxKeptText
}

// Effort is what was used since the last Restart.
func (m *Meter) Effort() Effort {
	return Effort{m.work, m.repeated, m.kept.elements, m.kept.bytes}
}

// Restart starts to count again, as for another load.
func (m *Meter) Restart() {
	m.work, m.repeated, m.kept, m.spent, m.excess = 0, 0, weigher{}, false, nil
}

// ErrSpent is the error of evaluations after the one that was told that all together is too much.
var ErrSpent = errors.New("not evaluated: all expressions together are too much")

// within evaluates as a part of what is evaluated already.
func (m *Meter) within(expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	m.parts(expr)
	return expr.Value(ctx)
}

// Keep counts a value that stays in memory for all of the load.
func (m *Meter) Keep(v cty.Value) error {
	m.kept.most(maxKept, maxKeptText)
	m.kept.add(v)
	switch {
	case m.kept.err == nil:
		return nil
	case m.spent:
		return ErrSpent
	}
	m.spent = true
	return excessKept
}

// Repeat counts blocks that a dynamic block makes.
func (m *Meter) Repeat(n int) error {
	if m.repeated += n; m.repeated > maxRepeated {
		return excessBlocks
	}
	return nil
}

// Admit tells whether a value that was not evaluated, out of a JSON file, is no more than others may be.
func (m *Meter) Admit(v cty.Value) error {
	m.made, m.bytes, m.excess = 0, 0, nil
	if m.take(v, false); m.excess != nil {
		return m.excess
	}
	return nil
}

// take counts a value; all of it is new memory if fresh.
func (m *Meter) take(v cty.Value, fresh bool) {
	w := weigher{}
	w.most(maxMade, maxMadeText)
	w.add(v)
	m.work += workOfStep + w.elements + w.bytes/textPerStep
	if fresh {
		m.made += w.elements - 1
		m.bytes += w.bytes
	}
	switch {
	case w.err == errHugeNumber: //nolint:errorlint // it is never wrapped
		m.excess = excessNumber
	case w.elements > maxMade || m.made > maxMade:
		m.excess = excessElements
	case w.bytes > maxMadeText || m.bytes > maxMadeText:
		m.excess = excessText
	case m.work > maxWork:
		m.excess = excessWork
	}
}

// metered is a part of an expression. A walk sees it as parentheses: itself and what is inside.
type metered struct {
	*hclsyntax.ParenthesesExpr
	meter    *Meter
	elements int  // that each evaluation makes: those in the text, and itself where it becomes one
	fresh    bool // its value is a new one, or is copied

	run  int
	seen map[mistake]*hcl.Diagnostic // in this run
}

type mistake struct {
	subject hcl.Range
	summary string
}

// Value evaluates the part, unless there was too much already.
func (e *metered) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	m := e.meter
	if m.excess != nil {
		return cty.DynamicVal, nil
	}
	v, diags := e.Expression.Value(ctx)
	if m.excess != nil {
		return cty.DynamicVal, nil
	}
	m.made += e.elements
	if m.take(v, e.fresh); m.excess != nil {
		return cty.DynamicVal, nil
	}
	if len(diags) > 0 {
		diags = e.once(diags)
	}
	return v, diags
}

// UnwrapExpression is how HCL's static analysis looks inside.
func (e *metered) UnwrapExpression() hcl.Expression { return e.Expression }

// once puts the diagnostic of the first time in place of those of further times, each of which holds a whole
// context: a loop makes one for each element.
func (e *metered) once(diags hcl.Diagnostics) hcl.Diagnostics {
	if e.run != e.meter.run || e.seen == nil {
		e.run, e.seen = e.meter.run, map[mistake]*hcl.Diagnostic{}
	}
	here := make(map[mistake]bool, 1)
	var out hcl.Diagnostics
	for _, d := range diags {
		key := mistake{summary: d.Summary}
		if d.Subject != nil {
			key.subject = *d.Subject
		}
		if here[key] {
			continue
		}
		here[key] = true
		if e.seen[key] == nil {
			e.seen[key] = d
		}
		out = append(out, e.seen[key])
	}
	return out
}

// picks are functions whose result is one of their arguments, or is inside one.
var picks = map[string]bool{"try": true, "can": true, "lookup": true, "element": true, "coalesce": true, "one": true}

// wrapper is an expression of another package around one of HCL's.
type wrapper interface {
	Inner() hclsyntax.Expression
}

// parts puts the meter between an expression and its parts, at every depth.
func (m *Meter) parts(expr hclsyntax.Expression) {
	switch e := expr.(type) {
	case wrapper:
		m.parts(e.Inner())
	case *hclsyntax.ParenthesesExpr:
		e.Expression = m.part(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		e.Wrapped = m.part(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		for i := range e.Parts {
			e.Parts[i] = m.copied(e.Parts[i])
		}
	case *hclsyntax.TemplateJoinExpr:
		if loop, ok := e.Tuple.(*hclsyntax.ForExpr); ok {
			loop.ValExpr = m.always(loop.ValExpr, 1, true)
		}
		m.parts(e.Tuple)
	case *hclsyntax.ForExpr:
		m.loop(e)
	case *hclsyntax.TupleConsExpr:
		for i := range e.Exprs {
			e.Exprs[i] = m.element(e.Exprs[i])
		}
	case *hclsyntax.ObjectConsExpr:
		for i := range e.Items {
			m.parts(e.Items[i].KeyExpr)
			e.Items[i].ValueExpr = m.element(e.Items[i].ValueExpr)
		}
	case *hclsyntax.ObjectConsKeyExpr:
		if _, name := e.Wrapped.(*hclsyntax.ScopeTraversalExpr); !name { // HCL looks whether it is one
			e.Wrapped = m.part(e.Wrapped)
		}
	case *hclsyntax.FunctionCallExpr:
		for i := range e.Args {
			e.Args[i] = m.part(e.Args[i])
		}
	default:
		m.operands(expr)
	}
}

// operands is parts for what computes with values, or looks into them.
func (m *Meter) operands(expr hclsyntax.Expression) {
	switch e := expr.(type) {
	case *hclsyntax.BinaryOpExpr:
		e.LHS, e.RHS = m.part(e.LHS), m.part(e.RHS)
	case *hclsyntax.UnaryOpExpr:
		e.Val = m.part(e.Val)
	case *hclsyntax.ConditionalExpr:
		e.Condition, e.TrueResult, e.FalseResult = m.part(e.Condition), m.part(e.TrueResult), m.part(e.FalseResult)
	case *hclsyntax.IndexExpr:
		e.Collection, e.Key = m.looked(e.Collection), m.part(e.Key)
	case *hclsyntax.RelativeTraversalExpr:
		e.Source = m.looked(e.Source)
	case *hclsyntax.SplatExpr:
		e.Source, e.Each = m.looked(e.Source), m.part(e.Each)
	}
}

// loop meters a "for". Its parts are evaluated for each element, so literals count as well.
func (m *Meter) loop(e *hclsyntax.ForExpr) {
	e.CollExpr, e.ValExpr = m.looked(e.CollExpr), m.always(e.ValExpr, 1, false)
	if e.KeyExpr != nil {
		e.KeyExpr = m.always(e.KeyExpr, 0, false)
	}
	if e.CondExpr != nil {
		e.CondExpr = m.always(e.CondExpr, 0, false)
	}
}

// part meters an expression inside another, unless its cost is that of the text.
func (m *Meter) part(expr hclsyntax.Expression) hclsyntax.Expression {
	if isText(expr) {
		return expr
	}
	return m.always(expr, 0, false)
}

// element is part for what becomes an element of a list or an object.
func (m *Meter) element(expr hclsyntax.Expression) hclsyntax.Expression {
	if isText(expr) {
		return expr
	}
	return m.always(expr, 1, false)
}

// copied is part for what becomes part of a text.
func (m *Meter) copied(expr hclsyntax.Expression) hclsyntax.Expression {
	if isText(expr) {
		return expr
	}
	return m.always(expr, 0, true)
}

// looked is part for a value that is only looked into, however large it is.
func (m *Meter) looked(expr hclsyntax.Expression) hclsyntax.Expression {
	if _, is := expr.(*hclsyntax.ScopeTraversalExpr); is {
		return expr
	}
	return m.part(expr)
}

func (m *Meter) always(expr hclsyntax.Expression, elements int, fresh bool) hclsyntax.Expression {
	if known, is := expr.(*metered); is {
		known.fresh = known.fresh || fresh
		return known
	}
	m.parts(expr)
	around := &hclsyntax.ParenthesesExpr{Expression: expr, SrcRange: expr.Range()}
	return &metered{ParenthesesExpr: around, meter: m, elements: elements + literals(expr), fresh: fresh || makes(expr)}
}

// isText knows literals. A number of too many digits counts as none of them.
func isText(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return !hugeNumber(e.Val)
	case *hclsyntax.TemplateExpr:
		return e.IsStringLiteral()
	case *hclsyntax.AnonSymbolExpr:
		return true
	}
	return false
}

// makes tells whether an expression's value is new memory as a whole.
func makes(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.FunctionCallExpr:
		return !picks[e.Name]
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateJoinExpr, *hclsyntax.ConditionalExpr, *hclsyntax.SplatExpr:
		return true
	}
	return false
}

// literals counts the elements of a constructor that are not metered.
func literals(expr hclsyntax.Expression) int {
	n := 0
	switch e := expr.(type) {
	case *hclsyntax.TupleConsExpr:
		for _, element := range e.Exprs {
			if isText(element) {
				n++
			}
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			if isText(item.ValueExpr) {
				n++
			}
		}
	}
	return n
}

// HoldsHugeNumber tells whether a number in the text of an expression has too many digits: for what is evaluated by
// HCL alone.
func HoldsHugeNumber(expr hclsyntax.Expression) bool {
	huge := false
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if literal, is := n.(*hclsyntax.LiteralValueExpr); is && hugeNumber(literal.Val) {
			huge = true
		}
		return nil
	})
	return huge
}
