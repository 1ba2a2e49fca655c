package function

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// templateFileFunc renders a file as a template. The template sees its own variables and all functions but itself.
func templateFileFunc(o Options) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "path", Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType},
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			expression, err := o.template(path)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			variables, err := templateVariables(args[1], expression)
			if err != nil {
				return cty.NilVal, function.NewArgError(1, err)
			}
			return o.render(expression, variables)
		},
	})
}

func (o Options) template(path string) (hclsyntax.Expression, error) {
	data, err := o.read(path)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%q: %w", path, errNotUTF8)
	}
	expression, diags := hclsyntax.ParseTemplate(data, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, firstError(diags)
	}
	return expression, nil
}

// templateVariables returns the variables of a template by name; all that the template uses must be there.
func templateVariables(vars cty.Value, expression hclsyntax.Expression) (map[string]cty.Value, error) {
	if t := vars.Type(); !t.IsObjectType() && !t.IsMapType() {
		return nil, errors.New("must be a map of the template's variables")
	}
	variables := vars.AsValueMap()
	for name := range variables {
		if !hclsyntax.ValidIdentifier(name) {
			return nil, fmt.Errorf("%q is not a name that a template variable can have", name)
		}
	}
	for _, traversal := range expression.Variables() {
		if name := traversal.RootName(); !hasVariable(variables, name) {
			return nil, fmt.Errorf("the template uses %q (%s), which is not among the variables", name, traversal.SourceRange())
		}
	}
	return variables, nil
}

func hasVariable(variables map[string]cty.Value, name string) bool {
	_, ok := variables[name]
	return ok
}

func (o Options) render(expression hclsyntax.Expression, variables map[string]cty.Value) (cty.Value, error) {
	functions := Table(o)
	functions["templatefile"] = function.New(&function.Spec{
		Params: functions["templatefile"].Params(),
		Type: func([]cty.Value) (cty.Type, error) {
			return cty.NilType, errors.New("a template cannot call templatefile")
		},
	})
	meter := o.Meter
	if meter == nil {
		meter = &Meter{}
	}
	rendered, diags := meter.within(expression, &hcl.EvalContext{Variables: variables, Functions: functions})
	if meter.excess != nil && o.Meter != nil {
		return cty.UnknownVal(cty.String), nil // the meter reports it where the call stands
	}
	if meter.excess != nil {
		return cty.NilVal, meter.excess
	}
	if diags.HasErrors() {
		return cty.NilVal, firstError(diags)
	}
	if holdsReference(rendered.Type()) {
		return cty.NilVal, errReferenceText
	}
	result, err := convert.Convert(rendered, cty.String)
	if err != nil {
		return cty.NilVal, fmt.Errorf("the template does not give text: %w", err)
	}
	if s, ok := text(result); ok && len(s) > maxText {
		return cty.NilVal, errTooLong()
	}
	return result, nil
}

// firstError makes an error of the first of several mistakes in a template.
func firstError(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return fmt.Errorf("%s: %s: %s", d.Subject, d.Summary, d.Detail)
		}
	}
	return nil
}
