package function

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// uniform is a tuple whose elements have one type, such as a "for" makes, as the list that it is in all but name, and an
// object of the same kind as a map, where want is a collection. The conversion of values finds that type by comparing
// each element's with all others, which for thousands of elements takes seconds.
func uniform(v cty.Value, want cty.Type) cty.Value {
	v, marks := v.Unmark()
	t := v.Type()
	switch {
	case v.IsNull() || !v.IsKnown():
	case t.IsTupleType() && (want.IsListType() || want.IsSetType()):
		types := t.TupleElementTypes()
		if len(types) > 0 && !slices.ContainsFunc(types, func(other cty.Type) bool { return !sameKind(other, types[0]) }) {
			v = cty.ListVal(v.AsValueSlice())
		}
	case t.IsObjectType() && want.IsMapType():
		values := v.AsValueMap()
		var first cty.Type
		same := len(values) > 0
		for _, element := range values {
			if first == cty.NilType {
				first = element.Type()
			}
			same = same && sameKind(element.Type(), first)
		}
		if same {
			v = cty.MapVal(values)
		}
	}
	return v.WithMarks(marks)
}

// sameKind tells of types that are quick to compare whether they are the same.
func sameKind(a, b cty.Type) bool {
	return (a.IsPrimitiveType() || a.IsCapsuleType()) && a.Equals(b)
}

// distinctFunc takes what stands in a list again out of it. Equal elements have equal hashes, so that each is compared
// with few others.
var distinctFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.DynamicPseudoType)}},
	Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, want cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(want), nil
		}
		seen := map[int][]cty.Value{}
		var kept []cty.Value
		for it := args[0].ElementIterator(); it.Next(); {
			_, v := it.Element()
			hash := v.Hash()
			if !slices.ContainsFunc(seen[hash], v.RawEquals) {
				seen[hash], kept = append(seen[hash], v), append(kept, v)
			}
		}
		if len(kept) == 0 {
			return cty.ListValEmpty(want.ElementType()), nil
		}
		return cty.ListVal(kept), nil
	},
})
