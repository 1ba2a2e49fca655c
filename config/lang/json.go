package lang

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// jsonComment is the property that HCL's JSON syntax ignores inside blocks.
const jsonComment = "//"

func splitJSON(object hcl.Expression, s *shape, d *diagnostics) content {
	var c content
	first := map[string]hcl.Range{}
	for _, p := range properties(object) {
		want, isBlock := s.blocks[p.name]
		switch {
		case p.name == jsonComment:
		case isBlock:
			faults := d.faults
			c.elements = append(c.elements, jsonElements(element{typ: p.name, typeRange: p.rng, defRange: p.rng}, p.value, want, d)...)
			if d.faults > faults {
				c.wrong = append(c.wrong, p.name)
			}
		case !s.has(p.name):
			d.error(RuleUnknown, p.rng, fmt.Sprintf("Unknown attribute or block %q", p.name), unknownDetail(p.name, s))
			c.wrong, c.meant = append(c.wrong, p.name), append(c.meant, s.meant(p.name))
		case first[p.name] != hcl.Range{}:
			repeated(p.name, p.rng, first[p.name], d)
		default:
			first[p.name] = p.rng
			c.settings = append(c.settings, setting{name: p.name, nameRange: p.rng, expr: nativeExpression(p.value, d)})
		}
	}
	return c
}

// repeated reports an attribute that is said twice.
func repeated(name string, at, first hcl.Range, d *diagnostics) {
	d.error(RuleDuplicate, at, fmt.Sprintf("Attribute %q is said twice", name),
		fmt.Sprintf("It was said first at %s. Keep one of the two.", d.place(first)))
}

// property is one NAME: VALUE of a JSON object.
type property struct {
	name  string
	rng   hcl.Range
	value hcl.Expression
}

// properties are those of a JSON object, or of all the objects of an array, in the order of the text; none for other
// values.
func properties(object hcl.Expression) []property {
	pairs, diags := hcl.ExprMap(object)
	if diags.HasErrors() {
		var list []property
		if items, diags := hcl.ExprList(object); !diags.HasErrors() {
			for _, item := range items {
				list = append(list, properties(item)...)
			}
		}
		return list
	}
	list := make([]property, len(pairs))
	for i, pair := range pairs {
		name, _ := pair.Key.Value(nil)
		list[i] = property{name: name.AsString(), rng: pair.Key.Range(), value: pair.Value}
	}
	return list
}

// form is what a JSON value is.
type form int

const (
	formOther form = iota
	formNull
	formObject
	formArray
)

func formOf(e hcl.Expression) (form, []hcl.Expression) {
	if list, diags := hcl.ExprList(e); !diags.HasErrors() {
		return formArray, list
	}
	if _, diags := hcl.ExprMap(e); !diags.HasErrors() {
		return formObject, nil
	}
	if v, _ := e.Value(nil); v.IsNull() {
		return formNull, nil
	}
	return formOther, nil
}

// jsonElements are the blocks under one property: an object, or an array of objects, below one object for each
// label that is wanted. Null and [] say that there is no block, which a label contradicts.
func jsonElements(e element, value hcl.Expression, want int, d *diagnostics) []element {
	f, list := formOf(value)
	labelled := want > 0 || len(e.labels) > 0
	switch {
	case f == formArray && len(list) > 0:
		var all []element
		for _, item := range list {
			if f, _ := formOf(item); f == formObject {
				all = append(all, jsonElements(e, item, want, d)...)
				continue
			}
			d.error(RuleSyntax, item.Range(), "JSON object expected", fmt.Sprintf("Each %q block is a JSON object: { ... }.", e.typ))
		}
		return all
	case (f == formArray || f == formNull) && labelled:
		d.error(RuleSyntax, value.Range(), "JSON null or [] in place of a block",
			fmt.Sprintf("A %q block has a label and cannot be null or empty here. Write { \"LABEL\": { ... } }, or remove the property.", e.typ))
		return nil
	case f == formArray || f == formNull:
		return nil
	case f != formObject:
		d.error(RuleSyntax, value.Range(), "JSON object expected", fmt.Sprintf("A %q block is a JSON object: { ... }.", e.typ))
		return nil
	case want == 0:
		e.in = inside{json: value}
		return []element{e}
	}
	var all []element
	for _, p := range properties(value) {
		if p.name == jsonComment {
			continue
		}
		inner := e
		inner.labels = append(append([]label(nil), e.labels...), label{p.name, p.rng})
		inner.defRange = p.rng
		all = append(all, jsonElements(inner, p.value, want-1, d)...)
	}
	return all
}

// nativeExpression is a JSON value as the native syntax would have it: strings are templates. It is nil where a
// template inside does not parse, which is reported.
func nativeExpression(e hcl.Expression, d *diagnostics) hclsyntax.Expression {
	f, list := formOf(e)
	switch f {
	case formArray:
		tuple := &hclsyntax.TupleConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
		for _, item := range list {
			expr := nativeExpression(item, d)
			if expr == nil {
				return nil
			}
			tuple.Exprs = append(tuple.Exprs, expr)
		}
		return tuple
	case formObject:
		object := &hclsyntax.ObjectConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
		for _, p := range properties(e) {
			key, value := template(p.name, p.rng, d), nativeExpression(p.value, d)
			if key == nil || value == nil {
				return nil
			}
			object.Items = append(object.Items, hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: value})
		}
		return object
	}
	v, _ := e.Value(nil)
	if v.Type() == cty.String && !v.IsNull() {
		return template(v.AsString(), e.Range(), d)
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}
}

// template parses the text of a JSON string.
func template(text string, rng hcl.Range, d *diagnostics) hclsyntax.Expression {
	if !bytes.ContainsAny([]byte(text), "$%") {
		return &hclsyntax.TemplateExpr{
			Parts:    []hclsyntax.Expression{&hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: rng}},
			SrcRange: rng,
		}
	}
	at := hcl.Pos{Line: rng.Start.Line, Column: rng.Start.Column + 1, Byte: rng.Start.Byte + 1}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), rng.Filename, at)
	escaped := len(text) != rng.End.Byte-rng.Start.Byte-2
	if diags.HasErrors() {
		d.add(inString(text, rng, hclsyntax.ParseTemplate)...)
		return nil
	}
	if escaped {
		return &escapedTemplate{Expression: expr, rng: rng}
	}
	return expr
}

// escapedTemplate is a template out of a JSON string with escapes: positions inside it are not those of the
// file, so its diagnostics point at the whole string.
type escapedTemplate struct {
	hclsyntax.Expression
	rng hcl.Range
}

// Value evaluates the template.
func (t *escapedTemplate) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := t.Expression.Value(ctx)
	for _, diag := range diags {
		diag.Subject, diag.Context = &t.rng, nil
	}
	return v, diags
}

// Range is the whole string.
func (t *escapedTemplate) Range() hcl.Range { return t.rng }

// StartRange is the whole string.
func (t *escapedTemplate) StartRange() hcl.Range { return t.rng }
