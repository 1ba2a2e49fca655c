package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/weirproxy/weir/config/function"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// declaration is a variable block.
type declaration struct {
	element
	partial bool // a syntax error inside was left out

	sensitive  bool
	typed      bool // a type was said
	typ        cty.Type
	defaults   *typeexpr.Defaults
	hasDefault bool
	def        cty.Value
	invalid    bool // something in the block was reported: its value is not to be judged
}

func (v *declaration) name() string { return v.labels[0].text }

var variableShape = &shape{
	attributes: []string{"type", "default", "description", "sensitive"},
	blocks:     map[string]int{},
	where:      "a variable block",
}

// variables declares all variables and finds their values.
func (l *loader) variables() {
	names := l.m.names[varRoot]
	functions := l.functions()
	l.m.scope = &scope{ctx: &hcl.EvalContext{Functions: functions}}
	for _, v := range l.declared {
		names[v.name()] = true
		good := checkName(variableBlock, v.labels[0], &l.diags)
		if earlier, again := l.byName[v.name()]; again {
			sameName(variableBlock, v.labels[0], earlier.labels[0].rng, &l.diags)
		} else if good {
			l.byName[v.name()] = v
		}
		l.declare(v)
	}
	given := l.given()
	values := make(map[string]cty.Value, len(names))
	for name := range names {
		values[name] = cty.DynamicVal
	}
	for name, v := range l.byName {
		values[name] = l.value(v, given[name])
	}
	l.m.scope.ctx.Variables = map[string]cty.Value{varRoot: cty.ObjectVal(values)}
}

// references makes the roots of the caller's kinds.
func (l *loader) references() {
	for _, kind := range l.in.Kinds {
		l.m.scope.ctx.Variables[kind] = referenceMap(l.m.types[kind], kind, l.m.names[kind])
	}
}

// declare evaluates what a variable block says.
func (l *loader) declare(v *declaration) {
	before := l.diags.errors
	c := v.in.split(variableShape, &l.diags)
	v.typ = cty.String
	ctx := &hcl.EvalContext{Functions: l.defaultFunctions()}
	for _, s := range c.settings {
		if s.expr == nil {
			continue
		}
		switch s.name {
		case "type":
			v.typed = true
			l.declareType(v, s)
		case "sensitive":
			v.sensitive = l.literal(s, cty.Bool).RawEquals(cty.True)
		case "description":
			l.literal(s, cty.String)
		}
	}
	for _, s := range c.settings {
		if s.name == "default" && s.expr != nil {
			l.declareDefault(v, s, ctx)
		}
	}
	v.invalid = v.partial || l.diags.errors > before
}

// declareType takes a type constraint, in JSON out of a string.
func (l *loader) declareType(v *declaration, s setting) {
	v.typ = cty.DynamicPseudoType // after a mistake any value will do
	expr := s.expr
	if text, ok := expr.(*hclsyntax.TemplateExpr); ok && text.IsStringLiteral() && v.in.native == nil {
		val, _ := text.Value(nil)
		if bad := tooDeep(File{Name: text.Range().Filename, Bytes: []byte(val.AsString())}); bad != nil {
			bad.Subject = text.Range().Ptr()
			l.diags.add(bad)
			return
		}
		rng := text.Range()
		at := hcl.Pos{Line: rng.Start.Line, Column: rng.Start.Column + 1, Byte: rng.Start.Byte + 1}
		parsed, diags := hclsyntax.ParseExpression([]byte(val.AsString()), rng.Filename, at)
		if diags.HasErrors() {
			l.diags.add(inString(val.AsString(), rng, hclsyntax.ParseExpression)...)
			return
		}
		expr = parsed
	}
	if function.HoldsHugeNumber(expr) || holdsLoop(expr) {
		l.diags.error(RuleVariable, expr.Range(), "Default of an attribute that is not plain",
			"The default in optional(TYPE, DEFAULT) is a plain value: no \"for\", and no number of thousands of digits.")
		return
	}
	typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(expr)
	for _, d := range diags {
		l.diags.error(RuleVariable, *d.Subject, d.Summary, typeDetail(d.Detail))
	}
	if !diags.HasErrors() {
		v.typ, v.defaults = typ, defaults
	}
}

// holdsLoop tells whether a "for" stands in an expression.
func holdsLoop(expr hclsyntax.Expression) bool {
	found := false
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		_, is := n.(*hclsyntax.ForExpr)
		found = found || is
		return nil
	})
	return found
}

// literal is a setting that may use neither names nor functions.
func (l *loader) literal(s setting, typ cty.Type) cty.Value {
	val, diags, err := l.m.meter.Evaluate(s.expr, nil)
	if !diags.HasErrors() && err == nil {
		var err error
		if val, err = convert.Convert(val, typ); err == nil {
			return val
		}
	}
	l.diags.error(RuleVariable, s.expr.Range(), fmt.Sprintf("Invalid %q", s.name),
		fmt.Sprintf("The value of %q is a plain %s, without names or functions.", s.name, typ.FriendlyName()))
	return cty.NullVal(typ)
}

// declareDefault evaluates a default; where no type was said, it gives the type.
func (l *loader) declareDefault(v *declaration, s setting, ctx *hcl.EvalContext) {
	v.hasDefault, v.def = true, cty.DynamicVal
	if v.sensitive {
		l.m.hide(s.expr.Range()) // the mask leaves out short texts
	}
	if !l.checked(v, s.expr, position{attribute: s.name, constant: true, json: v.in.native == nil}) {
		return
	}
	val, ok := l.own(v, s.expr, ctx)
	if !ok {
		return
	}
	if !v.typed {
		v.typ = typeOfDefault(val)
	}
	val, err := v.convert(val)
	if err != nil {
		l.diags.error(RuleVariable, s.expr.Range(), fmt.Sprintf("Default of variable %q has another type", v.name()),
			fmt.Sprintf("The variable's type is %s: %s.", typeexpr.TypeString(v.typ), err))
		return
	}
	v.def = val
}

// own evaluates a value that stands in the text, and hides it where the variable is sensitive: also the texts of an
// expression that fails, since a snippet shows them.
func (l *loader) own(v *declaration, expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	val, diags, err := l.m.meter.Evaluate(expr, ctx)
	if v.sensitive && diags.HasErrors() {
		l.learnLiterals(expr)
	} else if v.sensitive {
		l.m.mask.learn(val)
	}
	val, ok := l.m.judged(val, diags, v.sensitive, &l.diags)
	return val, l.m.bounded(err, expr.Range(), &l.diags) && ok
}

func (l *loader) learnLiterals(expr hclsyntax.Expression) {
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if literal, ok := n.(*hclsyntax.LiteralValueExpr); ok {
			l.m.mask.learn(literal.Val)
		}
		return nil
	})
}

// typeOfDefault is the type of a variable that says only a default: for a list or an object the kind of value is
// left open, since [] and {} say nothing about what they are meant to hold.
func typeOfDefault(v cty.Value) cty.Type {
	if ty := v.Type(); ty.IsPrimitiveType() && !v.IsNull() {
		return ty
	}
	if v.IsNull() {
		return cty.String
	}
	return cty.DynamicPseudoType
}

// convert makes a value fit the declared type.
func (v *declaration) convert(val cty.Value) (cty.Value, error) {
	if v.defaults != nil && !val.IsNull() {
		val = v.defaults.Apply(val)
	}
	return convert.Convert(val, v.typ)
}

// value decides on a variable's value: the one given from outside, else the default.
func (l *loader) value(v *declaration, g *given) cty.Value {
	val := cty.DynamicVal
	if g != nil {
		val = l.givenValue(v, g)
	}
	switch {
	case g != nil && !val.IsNull(): // null is the same as not saying it
	case v.invalid:
	case v.hasDefault:
		val = v.def
	case l.valuesLost: // its value may stand in a file that was reported
	default:
		l.diags.error(RuleVariable, v.defRange, fmt.Sprintf("Variable %q has no value", v.name()),
			fmt.Sprintf("Set it with --var %s=..., in a file given with --var-file, as %s%s in the environment, or give it a default.", v.name(), environPrefix, v.name()))
	}
	if v.sensitive {
		l.m.mask.learn(val)
		val = val.Mark(function.Sensitive)
	}
	return val
}

// givenValue turns what was given from outside into a value of the variable's type.
func (l *loader) givenValue(v *declaration, g *given) cty.Value {
	if v.sensitive && g.text != "" {
		l.m.mask.learnText(g.text)
	}
	if g.invalid || v.invalid {
		return cty.DynamicVal
	}
	val := g.value
	if g.expr != nil {
		var ok bool
		if val, ok = l.constant(v, g.expr); !ok {
			return cty.DynamicVal
		}
	} else if g.fromText {
		if v.typ == cty.String {
			val = cty.StringVal(g.text)
		} else if val = l.textValue(v, g); val == cty.DynamicVal {
			return val
		}
	}
	if v.sensitive {
		l.m.mask.learn(val)
	}
	if err := l.m.meter.Admit(val); err != nil {
		l.m.bounded(err, g.rng, &l.diags)
		return cty.DynamicVal
	}
	out, err := v.convert(val)
	switch {
	case err != nil && v.sensitive:
		l.diags.error(RuleVariable, g.rng, fmt.Sprintf("Value of variable %q has another type", v.name()),
			fmt.Sprintf("The variable's type is %s, as %s says. More is not shown, since the variable is sensitive.", typeexpr.TypeString(v.typ), l.diags.place(v.defRange)))
		return cty.DynamicVal
	case err != nil:
		l.diags.error(RuleVariable, g.rng, fmt.Sprintf("Value of variable %q has another type", v.name()),
			fmt.Sprintf("The variable's type is %s, as %s says: %s.", typeexpr.TypeString(v.typ), l.diags.place(v.defRange), err))
		return cty.DynamicVal
	}
	return out
}

// textValue reads a text as the expression that a variable of another type than string wants.
func (l *loader) textValue(v *declaration, g *given) cty.Value {
	if strings.TrimSpace(g.text) == "" {
		l.diags.error(RuleVariable, g.rng, fmt.Sprintf("Value of variable %q is empty", v.name()),
			fmt.Sprintf("%s gives an empty text, and the variable's type is %s. Write a value behind the =, or leave it out.", g.rng.Filename, typeexpr.TypeString(v.typ)))
		return cty.DynamicVal
	}
	if bad := unreadable(File{Name: g.rng.Filename, Bytes: []byte(g.text)}); bad != nil {
		l.diags.add(bad)
		return cty.DynamicVal
	}
	expr, diags := hclsyntax.ParseExpression([]byte(g.text), g.rng.Filename, g.rng.Start)
	if !diags.HasErrors() {
		if val, ok := l.constant(v, expr); ok {
			return val
		}
		return cty.DynamicVal
	}
	if v.sensitive {
		val, _ := l.hidden(v, g.rng)
		return val
	}
	l.diags.error(RuleVariable, g.rng, fmt.Sprintf("Value of variable %q is no expression", v.name()),
		fmt.Sprintf("The variable's type is %s: its value is written as in a file, text in quotes. %s", typeexpr.TypeString(v.typ), firstDetail(diags)))
	return cty.DynamicVal
}

func firstDetail(diags hcl.Diagnostics) string {
	if len(diags) == 0 {
		return ""
	}
	return strings.TrimSpace(diags[0].Detail)
}

// checked checks the names of a variable's value; of a sensitive one they may be the value itself, without its quotes.
func (l *loader) checked(v *declaration, expr hclsyntax.Expression, at position) bool {
	if !v.sensitive {
		return l.m.check(expr, at, &l.diags)
	}
	if unsaid := (diagnostics{}); !l.m.check(expr, at, &unsaid) {
		l.hidden(v, expr.Range())
		return false
	}
	return true
}

// constant evaluates an expression that may use no names; functions are allowed.
func (l *loader) constant(v *declaration, expr hclsyntax.Expression) (cty.Value, bool) {
	if !l.checked(v, expr, position{constant: true, given: true, want: typeexpr.TypeString(v.typ)}) {
		return cty.DynamicVal, false
	}
	return l.own(v, expr, l.m.scope.ctx)
}
