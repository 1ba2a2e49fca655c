package lang

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// target is what a reference's value holds: kind and name, nothing to look into.
type target Ref

// errAsText is what every conversion of a reference ends with. It is found again in HCL's and cty's messages,
// which are then replaced by words of ours.
var errAsText = errors.New("a reference cannot become text")

// MarshalJSON refuses: functions that make JSON of a value come here.
func (*target) MarshalJSON() ([]byte, error) { return nil, errAsText }

// referenceType is the type of the references to one kind of block.
func referenceType(kind string) cty.Type {
	equal := func(a, b any) bool { return *a.(*target) == *b.(*target) }
	return cty.CapsuleWithOps("reference to "+kind, reflect.TypeFor[target](), &cty.CapsuleOps{
		GoString:     func(any) string { return "reference" },
		TypeGoString: func(reflect.Type) string { return "reference" },
		Equals:       func(a, b any) cty.Value { return cty.BoolVal(equal(a, b)) },
		RawEquals:    equal,
		HashKey:      func(v any) string { return v.(*target).Name },
		ConversionFrom: func(dst cty.Type) func(any, cty.Path) (cty.Value, error) {
			if !dst.IsPrimitiveType() {
				return nil
			}
			return func(any, cty.Path) (cty.Value, error) { return cty.NilVal, errAsText }
		},
	})
}

// referenceMap is a root of expressions: all names of a kind.
func referenceMap(kind string, names map[string]bool) cty.Value {
	typ := referenceType(kind)
	if len(names) == 0 {
		return cty.MapValEmpty(typ)
	}
	values := make(map[string]cty.Value, len(names))
	for name := range names {
		values[name] = cty.CapsuleVal(typ, &target{Kind: kind, Name: name})
	}
	return cty.MapVal(values)
}

// asReference is the reference that a value holds.
func asReference(v cty.Value) (Ref, bool) {
	if !v.Type().IsCapsuleType() || v.IsNull() || !v.IsKnown() {
		return Ref{}, false
	}
	t, ok := v.EncapsulatedValue().(*target)
	if !ok {
		return Ref{}, false
	}
	return Ref(*t), true
}

// spelling is how a reference is written, in JSON as a template.
func spelling(r Ref, json bool) string {
	text := r.Kind + "." + r.Name
	if !hclsyntax.ValidIdentifier(r.Name) {
		text = fmt.Sprintf("%s[%q]", r.Kind, r.Name)
		if json {
			text = fmt.Sprintf(`%s[\"%s\"]`, r.Kind, r.Name)
		}
	}
	if json {
		return fmt.Sprintf(`"${%s}"`, text)
	}
	return text
}
