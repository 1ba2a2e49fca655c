package function

import (
	"fmt"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// TestUniformConvertsAsBefore holds that the short way to a collection leads where the long one does.
func TestUniformConvertsAsBefore(t *testing.T) {
	a, b, secret := cty.StringVal("a"), cty.StringVal("b"), cty.StringVal("s").Mark(Sensitive)
	for _, v := range []cty.Value{
		cty.EmptyTupleVal, cty.EmptyObjectVal, cty.TupleVal([]cty.Value{a, b, a}), cty.TupleVal([]cty.Value{a, cty.NumberIntVal(1)}),
		cty.TupleVal([]cty.Value{a, secret}), cty.TupleVal([]cty.Value{a, b}).Mark(Sensitive), cty.TupleVal([]cty.Value{a, cty.NullVal(cty.String)}),
		cty.TupleVal([]cty.Value{a, cty.NullVal(cty.DynamicPseudoType)}), cty.TupleVal([]cty.Value{a, cty.UnknownVal(cty.String)}),
		cty.TupleVal([]cty.Value{cty.TupleVal([]cty.Value{a}), cty.EmptyTupleVal}), cty.ObjectVal(map[string]cty.Value{"x": a, "y": b}),
		cty.ObjectVal(map[string]cty.Value{"x": a, "y": cty.True}), cty.ObjectVal(map[string]cty.Value{"x": secret}).Mark(Sensitive),
		cty.ListVal([]cty.Value{a}), cty.NullVal(cty.Tuple([]cty.Type{cty.String})), cty.UnknownVal(cty.Tuple([]cty.Type{cty.String})),
		cty.DynamicVal, cty.NullVal(cty.DynamicPseudoType), a,
	} {
		for _, want := range []cty.Type{
			cty.List(cty.DynamicPseudoType), cty.Set(cty.DynamicPseudoType), cty.Map(cty.DynamicPseudoType), cty.List(cty.String), cty.Set(cty.String),
			cty.List(cty.Number), cty.Map(cty.String), cty.DynamicPseudoType, cty.String,
		} {
			long, longErr := convert.Convert(v, want)
			short, shortErr := convert.Convert(uniform(v, want), want)
			if (longErr == nil) != (shortErr == nil) || longErr == nil && !long.RawEquals(short) {
				t.Errorf("%#v to %#v: %#v, %v; the short way %#v, %v", v, want, long, longErr, short, shortErr)
			}
		}
	}
}

// TestManyElements holds that functions do not compare each element with all others: for these that would take minutes.
func TestManyElements(t *testing.T) {
	elements := make([]cty.Value, 30_000)
	attributes := make(map[string]cty.Value, len(elements))
	for i := range elements {
		elements[i] = cty.StringVal(fmt.Sprint("element ", i/2))
		attributes[fmt.Sprint(i)] = elements[i]
	}
	table, at := Table(Options{}), time.Now()
	for _, test := range []struct {
		name string
		arg  cty.Value
		want int
	}{
		{"tolist", cty.TupleVal(elements), 30_000}, {"toset", cty.TupleVal(elements), 15_000}, {"distinct", cty.TupleVal(elements), 15_000},
		{"sort", cty.TupleVal(elements), 30_000}, {"compact", cty.TupleVal(elements), 30_000}, {"tomap", cty.ObjectVal(attributes), 30_000},
	} {
		got, err := table[test.name].Call([]cty.Value{test.arg})
		if err != nil || got.LengthInt() != test.want {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if took := time.Since(at); took > 30*time.Second {
		t.Errorf("this took %s", took)
	}
}
