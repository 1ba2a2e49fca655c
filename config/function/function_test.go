package function

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

type vpc struct{ name string }

// evaluate evaluates an expression with all functions, a sensitive variable, and references.
func evaluate(t testing.TB, o Options, expression string) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	parsed, diags := hclsyntax.ParseExpression([]byte(expression), "test.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", expression, diags)
	}
	reference := cty.Capsule("vpc", typeOf[vpc]())
	functions := Table(o)
	functions["env"] = Env([]string{"HOME=/home/weir", "EMPTY=", "odd"})
	return parsed.Value(&hcl.EvalContext{
		Functions: functions,
		Variables: map[string]cty.Value{
			"secret":  cty.StringVal("hunter2").Mark(Sensitive),
			"numeric": cty.StringVal("12").Mark(Sensitive),
			"unknown": cty.UnknownVal(cty.String),
			"dynamic": cty.DynamicVal,
			"vpc": cty.MapVal(map[string]cty.Value{
				"a": cty.CapsuleVal(reference, &vpc{"a"}), "b": cty.CapsuleVal(reference, &vpc{"b"}),
			}),
		},
	})
}

// result is a value as JSON; what is sensitive is said so.
func result(t testing.TB, v cty.Value) string {
	t.Helper()
	unmarked, marks := v.UnmarkDeep()
	data, err := ctyjson.Marshal(unmarked, unmarked.Type())
	if err != nil {
		t.Fatal(err)
	}
	if len(marks) > 0 {
		return "sensitive " + string(data)
	}
	return string(data)
}

// The examples are those of Terraform's documentation, where it has some.
func TestFunctions(t *testing.T) {
	root := exampleFiles(t)
	called := map[string]bool{}
	for _, test := range examples {
		name, _, _ := strings.Cut(test.expression, "(")
		called[name] = true
		t.Run(test.expression, func(t *testing.T) {
			value, diags := evaluate(t, Options{Root: root}, test.expression)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := result(t, value); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	for _, name := range Names() {
		if !called[name] {
			t.Errorf("no example of %s", name)
		}
	}
}

func TestFailures(t *testing.T) {
	root := exampleFiles(t)
	for _, test := range failures {
		t.Run(test.expression, func(t *testing.T) {
			value, diags := evaluate(t, Options{Root: root}, test.expression)
			if !diags.HasErrors() {
				t.Fatalf("got %#v, want the error %q", value, test.want)
			}
			if len(diags) != 1 || !strings.Contains(diags[0].Detail, test.want) {
				t.Errorf("got  %v\nwant %s", diags, test.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	names, table := Names(), Table(Options{})
	if !sort.StringsAreSorted(names) || len(names) != len(table) {
		t.Errorf("%d names for %d functions, or not sorted: %v", len(names), len(table), names)
	}
	for _, out := range []string{"timestamp", "uuid", "bcrypt", "abspath", "pathexpand", "env", "rsadecrypt", "templatestring"} {
		if _, ok := table[out]; ok {
			t.Errorf("%s is a function", out)
		}
	}
}

// Whatever a function is given, it returns a value or an error, and what was sensitive stays so.
func TestEveryFunctionWithEveryArgument(t *testing.T) {
	reference := cty.CapsuleVal(cty.Capsule("vpc", typeOf[vpc]()), &vpc{"a"})
	values := []cty.Value{
		cty.NullVal(cty.DynamicPseudoType), cty.NullVal(cty.String), cty.DynamicVal, cty.UnknownVal(cty.String),
		cty.UnknownVal(cty.List(cty.String)), cty.StringVal(""), cty.StringVal("10.0.0.0/8"), cty.StringVal("{\"a\": [1]}"),
		cty.Zero, cty.NumberIntVal(-3), cty.NumberFloatVal(2.5), cty.PositiveInfinity, cty.MustParseNumberVal("1e300000"), cty.True,
		cty.EmptyTupleVal, cty.EmptyObjectVal, cty.ListValEmpty(cty.String), cty.ListVal([]cty.Value{cty.StringVal("x"), cty.StringVal("y")}),
		cty.SetVal([]cty.Value{cty.NumberIntVal(1), cty.NumberIntVal(2)}), cty.MapVal(map[string]cty.Value{"k": cty.StringVal("v")}),
		cty.TupleVal([]cty.Value{cty.StringVal("x"), cty.NullVal(cty.String), reference}), reference,
		cty.ObjectVal(map[string]cty.Value{"a": cty.StringVal("s").Mark(Sensitive), "r": reference}),
		cty.StringVal("hidden").Mark(Sensitive), cty.ListVal([]cty.Value{cty.StringVal("hidden").Mark(Sensitive)}),
	}
	table := Table(Options{Root: t.TempDir()})
	delete(table, "try") // they take expressions, and are HCL's own
	delete(table, "can")
	var arguments func(name string, f function.Function, args []cty.Value, left int)
	arguments = func(name string, f function.Function, args []cty.Value, left int) {
		if left == 0 {
			callSafely(t, name, f, args)
			return
		}
		for _, v := range values {
			arguments(name, f, append(args[:len(args):len(args)], v), left-1)
		}
	}
	for name, f := range table {
		least := len(f.Params())
		arguments(name, f, nil, least)
		if f.VarParam() != nil && least < 2 {
			arguments(name, f, nil, least+1)
		}
	}
}

func callSafely(t *testing.T, name string, f function.Function, args []cty.Value) {
	t.Helper()
	v, err := f.Call(args)
	if err != nil {
		if strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "panic") || strings.Contains(err.Error(), "goroutine") {
			t.Errorf("%s(%#v): %v", name, args, err)
		}
		return
	}
	// A value that is not sensitive must not be made of one that is. These say of what is inside only what is not secret.
	if name == "nonsensitive" || v.ContainsMarked() || v.IsNull() || !v.IsKnown() {
		return
	}
	unmarked, _ := v.UnmarkDeep()
	if strings.Contains(unmarked.GoString(), "hidden") {
		t.Errorf("%s(%#v) = %#v is not sensitive", name, args, v)
	}
}

func exampleFiles(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"hello.txt":         "Hello World",
		"binary":            "\xff\x00",
		"greeting.tftpl":    "Hello, ${name}!",
		"backends.tftpl":    "%{ for a in addresses ~}\nbackend ${a}:${port}\n%{ endfor ~}\n",
		"broken.tftpl":      "${ name",
		"recursive.tftpl":   "${templatefile(\"greeting.tftpl\", {name = 1})}",
		"reference.tftpl":   "${v}",
		"fails.tftpl":       "${file(\"nothing\")}",
		"files/a.json":      "{}",
		"files/b.json":      "{}",
		"files/c.txt":       "",
		"files/.hidden":     "",
		"files/x/y/z.json":  "{}",
		"files/x/w.json":    "{}",
		"files/.git/q.json": "{}",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
