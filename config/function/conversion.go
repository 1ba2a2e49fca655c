package function

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var conversionEntries = map[string]entry{
	"issensitive":  {fn: isSensitiveFunc, refs: true},
	"nonsensitive": {fn: markFunc(func(v cty.Value) cty.Value { v, _ = v.UnmarkDeep(); return v }), refs: true},
	"sensitive":    {fn: markFunc(func(v cty.Value) cty.Value { return v.Mark(Sensitive) }), refs: true},
	"tobool":       {fn: stdlib.MakeToFunc(cty.Bool)},
	"tolist":       {fn: stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), refs: true, makes: cty.List(cty.DynamicPseudoType)},
	"tomap":        {fn: stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), refs: true, makes: cty.Map(cty.DynamicPseudoType)},
	"tonumber":     {fn: stdlib.MakeToFunc(cty.Number)},
	"toset":        {fn: stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), refs: true, makes: cty.Set(cty.DynamicPseudoType)},
	"tostring":     {fn: stdlib.MakeToFunc(cty.String)},
}

func anyValue() []function.Parameter {
	return []function.Parameter{{
		Name: "value", Type: cty.DynamicPseudoType,
		AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true,
	}}
}

// markFunc makes a function that changes a value's marks and nothing else.
func markFunc(change func(cty.Value) cty.Value) function.Function {
	return function.New(&function.Spec{
		Params: anyValue(),
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return change(args[0]), nil },
	})
}

var isSensitiveFunc = function.New(&function.Spec{
	Params: anyValue(),
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return cty.BoolVal(args[0].IsMarked()), nil
	},
})
