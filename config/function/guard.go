package function

import (
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// entry is a function and what must hold before and after a call of it.
type entry struct {
	fn    function.Function
	refs  bool                         // references may be in the arguments
	limit func(args []cty.Value) error // refuses a call that would make too much
	grows func(result cty.Value) error // refuses a result that is too much; its errors quote no value
	makes cty.Type                     // the collection that the function converts its argument to
}

var (
	errReferenceText = errors.New("a reference cannot become text; write the name itself as text where text is needed")
	errSensitive     = errors.New("the call failed, and an argument is sensitive, so the reason is not shown")
	errHugeNumber    = errors.New("the number has too many digits")
)

// guard puts an entry's conditions around its function. The parameters of the result take any value, and guard
// converts them itself: HCL's conversion would come before our words.
func guard(e entry) function.Function {
	spec := &function.Spec{
		Description: e.fn.Description(),
		// The inner function decides about its type, once, when it is called.
		Type: function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return e.call(args) },
	}
	for _, p := range e.fn.Params() {
		spec.Params = append(spec.Params, open(p))
	}
	if p := e.fn.VarParam(); p != nil {
		opened := open(*p)
		spec.VarParam = &opened
	}
	return function.New(spec)
}

// open returns p made to take anything.
func open(p function.Parameter) function.Parameter {
	return function.Parameter{
		Name: p.Name, Description: p.Description, Type: cty.DynamicPseudoType,
		AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true,
	}
}

func (e entry) call(args []cty.Value) (cty.Value, error) {
	if err := e.admit(args); err != nil {
		return cty.NilVal, err
	}
	args, err := e.convert(args)
	if err != nil {
		return cty.NilVal, err
	}
	if e.limit != nil {
		if err := e.limit(args); err != nil {
			return cty.NilVal, explain(err, args)
		}
	}
	result, err := e.fn.Call(args)
	if err != nil {
		return cty.NilVal, explain(err, args)
	}
	if hugeNumber(result) {
		return cty.NilVal, errHugeNumber
	}
	if e.grows != nil {
		if err := e.grows(result); err != nil {
			return cty.NilVal, err
		}
	}
	return result, nil
}

// admit refuses references, and numbers that would need megabytes when written out.
func (e entry) admit(args []cty.Value) error {
	for i, arg := range args {
		if !e.refs && holdsReference(arg.Type()) {
			return function.NewArgError(i, refusal(e.parameter(i).Type))
		}
		if hugeNumber(arg) {
			return function.NewArgError(i, errHugeNumber)
		}
	}
	return nil
}

// refusal is what is said of a reference where a value of type want belongs.
func refusal(want cty.Type) error {
	if want == cty.Number || want == cty.Bool {
		return fmt.Errorf("a reference is not a %s", want.FriendlyName())
	}
	return errReferenceText
}

// convert does what HCL does to arguments before a call.
func (e entry) convert(args []cty.Value) ([]cty.Value, error) {
	converted := make([]cty.Value, len(args))
	for i, arg := range args {
		want := e.parameter(i).Type
		if e.makes != cty.NilType {
			arg = uniform(arg, e.makes)
		}
		value, err := convert.Convert(uniform(arg, want), want)
		switch {
		case err == nil:
			converted[i] = value
		case holdsReference(arg.Type()):
			return nil, function.NewArgError(i, refusal(want))
		case arg.ContainsMarked():
			return nil, function.NewArgErrorf(i, "%s required", want.FriendlyName())
		default:
			return nil, function.NewArgError(i, err)
		}
	}
	return converted, nil
}

// parameter returns the parameter that argument i is for.
func (e entry) parameter(i int) function.Parameter {
	params := e.fn.Params()
	if i < len(params) {
		return params[i]
	}
	return *e.fn.VarParam() // the number of arguments was checked against the same parameters
}

// explain returns err without what must not be shown.
func explain(err error, args []cty.Value) error {
	var panicked function.PanicError
	if errors.As(err, &panicked) {
		err = errors.New("the function cannot work with these values")
	}
	for _, arg := range args {
		if !arg.ContainsMarked() {
			continue
		}
		if about, ok := err.(function.ArgError); ok { //nolint:errorlint // HCL looks at the outermost error only
			return function.NewArgError(about.Index, errSensitive)
		}
		return errSensitive
	}
	return err
}

// holdsReference tells whether a value of type t is a reference, or may hold one.
func holdsReference(t cty.Type) bool {
	switch {
	case t.IsCapsuleType():
		return true
	case t.IsCollectionType():
		return holdsReference(t.ElementType())
	case t.IsTupleType():
		for _, element := range t.TupleElementTypes() {
			if holdsReference(element) {
				return true
			}
		}
	case t.IsObjectType():
		for _, attribute := range t.AttributeTypes() {
			if holdsReference(attribute) {
				return true
			}
		}
	}
	return false
}
