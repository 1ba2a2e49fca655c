package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// texts judges an object of texts, each key and value at its own place where the text has one.
func (d *decoder) texts(a *Attribute, expr hclsyntax.Expression, v cty.Value, json bool) value {
	out := value{rng: expr.Range(), state: Invalid}
	if v.IsMarked() {
		v, out.sensitive = d.open(v)
	}
	switch ty := v.Type(); {
	case !v.IsKnown():
		d.unknown(out.rng)
		return out
	case v.IsNull():
		out.state = Absent
		return out
	case !ty.IsMapType() && !ty.IsObjectType():
		d.diags.error(RuleType, out.rng, wrongType(a), "Write braces around names and values: { \"NAME\" = \"VALUE\" }.")
		return out
	}
	places := d.keys(a, expr)
	var pairs []Pair
	for it := v.ElementIterator(); it.Next(); {
		name, element := it.Element()
		pair := Pair{Key: Value[string]{V: name.AsString(), Range: out.rng, State: Valid, Sensitive: out.sensitive}}
		at := out.rng
		if item, found := places[pair.Key.V]; found {
			pair.Key.Range, at = item.KeyExpr.Range(), item.ValueExpr.Range()
		}
		judged := d.single(&Attribute{Name: pair.Key.V, Type: String}, element, at, json)
		if judged.state == Absent {
			d.diags.error(RuleType, at, "null in an object", fmt.Sprintf("The values of %q are never null. Leave the name out.", a.Name))
			judged.state = Invalid
		}
		pair.Value = typed[string](judged)
		pair.Value.Sensitive = pair.Value.Sensitive || out.sensitive
		pairs = append(pairs, pair)
	}
	out.state, out.v = Valid, any(pairs)
	return out
}

// keys are the items of an object whose keys are literal, and reports those that stand there twice.
func (d *decoder) keys(a *Attribute, expr hclsyntax.Expression) map[string]hclsyntax.ObjectConsItem {
	object, ok := expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return nil
	}
	places := map[string]hclsyntax.ObjectConsItem{}
	for _, item := range object.Items {
		key, diags := item.KeyExpr.Value(nil)
		if diags.HasErrors() || key.Type() != cty.String || !key.IsKnown() || key.IsNull() {
			continue
		}
		name := key.AsString()
		if first, twice := places[name]; twice {
			d.diags.error(RuleDuplicate, item.KeyExpr.Range(), "Name listed twice",
				fmt.Sprintf("%q stands in %q already (line %d). Remove one of the two.", name, a.Name, lineOf(first.KeyExpr.Range())))
		}
		places[name] = item
	}
	return places
}

func lineOf(r hcl.Range) int { return r.Start.Line }
