package function

import (
	"errors"
	"sort"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var collectionEntries = map[string]entry{
	"alltrue":         {fn: quantifier(cty.True, func(soFar, v cty.Value) cty.Value { return soFar.And(v) })},
	"anytrue":         {fn: quantifier(cty.False, func(soFar, v cty.Value) cty.Value { return soFar.Or(v) })},
	"chunklist":       {fn: stdlib.ChunklistFunc, refs: true},
	"coalesce":        {fn: coalesceFunc, refs: true},
	"coalescelist":    {fn: stdlib.CoalesceListFunc, refs: true},
	"compact":         {fn: stdlib.CompactFunc},
	"concat":          {fn: stdlib.ConcatFunc, refs: true, limit: limitSum},
	"contains":        {fn: stdlib.ContainsFunc, refs: true},
	"distinct":        {fn: distinctFunc, refs: true},
	"element":         {fn: stdlib.ElementFunc, refs: true},
	"flatten":         {fn: stdlib.FlattenFunc, refs: true, limit: limitWeight},
	"index":           {fn: indexFunc, refs: true},
	"keys":            {fn: stdlib.KeysFunc, refs: true},
	"length":          {fn: lengthFunc, refs: true},
	"lookup":          {fn: lookupFunc, refs: true},
	"matchkeys":       {fn: matchKeysFunc, refs: true},
	"merge":           {fn: stdlib.MergeFunc, refs: true, limit: limitSum},
	"one":             {fn: oneFunc, refs: true},
	"range":           {fn: stdlib.RangeFunc}, // itself bounded, at 1,024 elements
	"reverse":         {fn: stdlib.ReverseListFunc, refs: true},
	"setintersection": {fn: stdlib.SetIntersectionFunc, refs: true},
	"setproduct":      {fn: stdlib.SetProductFunc, refs: true, limit: limitProduct},
	"setsubtract":     {fn: stdlib.SetSubtractFunc, refs: true},
	"setunion":        {fn: stdlib.SetUnionFunc, refs: true, limit: limitSum},
	"slice":           {fn: stdlib.SliceFunc, refs: true},
	"sort":            {fn: stdlib.SortFunc},
	"sum":             {fn: sumFunc},
	"transpose":       {fn: transposeFunc},
	"values":          {fn: stdlib.ValuesFunc, refs: true},
	"zipmap":          {fn: stdlib.ZipmapFunc, refs: true},
}

// quantifier makes alltrue and anytrue: null counts as false.
func quantifier(start cty.Value, step func(soFar, v cty.Value) cty.Value) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			result := start
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if v.IsNull() {
					v = cty.False
				}
				result = step(result, v)
			}
			return result, nil
		},
	})
}

// lengthFunc counts elements, or the characters of a string.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{
		Name: "value", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true,
	}},
	Type: func(args []cty.Value) (cty.Type, error) {
		t := args[0].Type()
		if t != cty.String && t != cty.DynamicPseudoType && !t.IsTupleType() && !t.IsObjectType() && !t.IsCollectionType() {
			return cty.NilType, errors.New("argument must be a string, a collection type, or a structural type")
		}
		return cty.Number, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		value, marks := args[0].Unmark()
		var length cty.Value
		switch t := value.Type(); {
		case !value.IsKnown() && t != cty.String && !t.IsTupleType() && !t.IsObjectType():
			length = cty.UnknownVal(cty.Number)
		case t == cty.String:
			var err error
			if length, err = stdlib.Strlen(value); err != nil {
				return cty.NilVal, err
			}
		case t.IsObjectType():
			length = cty.NumberIntVal(int64(len(t.AttributeTypes())))
		default:
			length = value.Length()
		}
		return length.WithMarks(marks), nil
	},
})

// oneFunc returns the only element of a collection, or null of an empty one.
var oneFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch t := args[0].Type(); {
		case t.IsListType() || t.IsSetType():
			return t.ElementType(), nil
		case t.IsTupleType() && t.Length() == 0:
			return cty.DynamicPseudoType, nil
		case t.IsTupleType() && t.Length() == 1:
			return t.TupleElementType(0), nil
		}
		return cty.NilType, errOne
	},
	Impl: func(args []cty.Value, want cty.Type) (cty.Value, error) {
		switch args[0].LengthInt() {
		case 0:
			return cty.NullVal(want), nil
		case 1:
			return args[0].AsValueSlice()[0], nil
		}
		return cty.NilVal, errOne
	},
})

var errOne = function.NewArgErrorf(0, "must be a list, set, or tuple value with either zero or one elements")

// sumFunc adds up at least one number.
var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsSetType() && !t.IsTupleType() {
			return cty.NilType, function.NewArgErrorf(0, "argument must be list, set, or tuple")
		}
		return cty.Number, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if args[0].LengthInt() == 0 {
			return cty.NilVal, function.NewArgErrorf(0, "cannot sum an empty list")
		}
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, v := it.Element()
			number, err := convert.Convert(v, cty.Number)
			if err != nil || number.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "argument must be list, set, or tuple of number values")
			}
			if hugeNumber(number) {
				return cty.NilVal, errHugeNumber
			}
			total = total.Add(number)
		}
		return total, nil
	},
})

// transposeFunc swaps the keys and the values of a map of lists of strings.
var transposeFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "values", Type: cty.Map(cty.List(cty.String))}},
	Type:   function.StaticReturnType(cty.Map(cty.List(cty.String))),
	Impl: func(args []cty.Value, want cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(want), nil
		}
		turned := map[string][]string{}
		for it := args[0].ElementIterator(); it.Next(); {
			key, list := it.Element()
			if list.IsNull() {
				return cty.NilVal, errors.New("a list must not be null")
			}
			for _, v := range list.AsValueSlice() {
				if v.IsNull() {
					return cty.NilVal, errors.New("an element must not be null")
				}
				turned[v.AsString()] = append(turned[v.AsString()], key.AsString())
			}
		}
		if len(turned) == 0 {
			return cty.MapValEmpty(cty.List(cty.String)), nil
		}
		lists := make(map[string]cty.Value, len(turned))
		for key, names := range turned {
			sort.Strings(names)
			values := make([]cty.Value, len(names))
			for i, name := range names {
				values[i] = cty.StringVal(name)
			}
			lists[key] = cty.ListVal(values)
		}
		return cty.MapVal(lists), nil
	},
})
