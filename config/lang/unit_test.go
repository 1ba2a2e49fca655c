package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"
)

// load is one file, loaded and decoded.
func load(name, text string) (*Module, hcl.Diagnostics) {
	m, _, diags := loadAll(Input{Root: "/nowhere", Kinds: testKinds, Files: []File{{Name: name, Bytes: []byte(text)}}})
	return m, diags
}

func TestFilesThatAreNoText(t *testing.T) {
	tests := []struct{ name, file, text, summary, place string }{
		{"zero bytes", "a.hcl", "", "Empty file", "1:1"},
		{"zero bytes of JSON", "a.hcl.json", "", "Empty file", "1:1"},
		{"NUL", "a.hcl", "vpc \"a\" {}\n# \x00", "File is no text", "2:3"},
		{"an Envoy", "a.hcl", "\x7fELF\x02\x01\x01\x00", "File is no text", "1:8"},
		{"not UTF-8", "a.hcl", "vpc \"a\" {}\n# é\n# \xe9\n", "File is no text", "3:3"},
		{"UTF-16", "a.hcl", "\xff\xfev\x00p\x00c\x00", "File is no text", "1:1"},
		{"not UTF-8 in JSON", "a.hcl.json", "{\"vpc\": \"\xe9\"}", "File is no text", "1:10"},
		{"byte order mark", "a.hcl.json", "\xef\xbb\xbf{}", "File starts with a byte order mark", "1:1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, diags := load(test.file, test.text)
			if len(diags) != 1 || diags[0].Summary != test.summary {
				t.Fatalf("got %v", diags)
			}
			p := PlaceOf(diags[0])
			if got := fmt.Sprintf("%d:%d", p.Line(), p.Column()); got != test.place || p.File() != test.file {
				t.Errorf("place %s %s", p.File(), got)
			}
		})
	}
}

func TestTextsThatAreFine(t *testing.T) {
	for _, text := range []string{"# only a comment", "\n", "vpc \"a\" {}\r\nvpc \"b\" {\r\n  cidr_blocks = [<<EOT\r\nx\r\nEOT\r\n  ]\r\n}\r\n", "vpc a {}", "\xef\xbb\xbfvpc \"a\" {}"} {
		if _, diags := load("a.hcl", text); len(diags) > 0 {
			t.Errorf("%q: %v", text, diags)
		}
	}
}

// TestDeepNesting gives the parsers what would fill their stack, which Go cannot recover from.
func TestDeepNesting(t *testing.T) {
	const deep = 500_000
	long := func(s string) string { return strings.Repeat(s, deep) }
	tests := []struct{ name, file, text, summary string }{
		{"brackets", "a.hcl", "locals {\n a = " + long("["), "Nested too deep"},
		{"parentheses", "a.hcl", "locals {\n a = " + long("("), "Nested too deep"},
		{"braces", "a.hcl", "locals {\n a = " + long("{a="), "Nested too deep"},
		{"blocks", "a.hcl", long("a {\n"), "Nested too deep"},
		{"interpolations", "a.hcl", "locals {\n a = " + long(`"${`), "Nested too deep"},
		{"heredocs", "a.hcl", "locals {\n a = " + long("<<E\n${"), "Nested too deep"},
		{"calls", "a.hcl", "locals {\n a = " + long("f("), "Nested too deep"},
		{"negations", "a.hcl", "locals {\n a = " + long("-"), "Expression too long"},
		{"nots", "a.hcl", "locals {\n a = " + long("!"), "Expression too long"},
		{"sums", "a.hcl", "locals {\n a = 1" + long("+1"), "Expression too long"},
		{"sums over lines", "a.hcl", "locals {\n a = (1" + long("+\n1"), "Expression too long"},
		{"conditions", "a.hcl", "locals {\n a = " + long("a?b:"), "Expression too long"},
		{"indexes", "a.hcl", "locals {\n a = b" + long("[c]"), "Expression too long"},
		{"splats", "a.hcl", "locals {\n a = b" + long("[*]"), "Expression too long"},
		{"directives", "a.hcl", "locals {\n a = \"" + long("%{if a}"), "Expression too long"},
		{"after an escape", "a.hcl", "locals {\n a = \"\\\" $${ %%{ \\\\\"" + long("["), "Nested too deep"},
		{"after comments", "a.hcl", "# \"\n// \"\n/* \" */ locals {\n a = " + long("["), "Nested too deep"},
		{"after a heredoc", "a.hcl", "locals {\n a = <<E\n\"\nE\n b = " + long("["), "Nested too deep"},
		{"JSON arrays", "a.hcl.json", long("["), "Nested too deep"},
		{"JSON objects", "a.hcl.json", long(`{"a":`), "Nested too deep"},
		{"JSON template", "a.hcl.json", `{"locals": {"a": "${` + long("[") + `"}}`, "Nested too deep"},
		{"JSON template, escaped", "a.hcl.json", `{"locals": {"a": "\u0024\u007b` + long("(") + `{"}}`, "Nested too deep"},
		{"JSON template, long", "a.hcl.json", `{"locals": {"a": "${` + long("-") + `1}"}}`, "Expression too long"},
		{"JSON type", "a.hcl.json", `{"variable": {"a": {"default": 1, "type": "` + long("list(") + `"}}}`, "Nested too deep"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, diags := load(test.file, test.text)
			if len(diags) != 1 || diags[0].Summary != test.summary {
				t.Fatalf("got %d: %v", len(diags), diags[:min(2, len(diags))])
			}
		})
	}
	t.Run("--var", func(t *testing.T) {
		_, diags := Load(Input{
			Files:     []File{{"a.hcl", []byte("variable \"v\" {\n  type = any\n}\n")}},
			Variables: Variables{Flags: []string{"v=" + long("[")}},
		})
		if len(diags) != 1 || diags[0].Summary != "Nested too deep" {
			t.Fatalf("got %v", diags[:min(2, len(diags))])
		}
	})
}

// TestWideIsNotDeep: what is long but flat has no bound.
func TestWideIsNotDeep(t *testing.T) {
	var text strings.Builder
	text.WriteString("locals {\n  list = [")
	for i := range 5000 {
		fmt.Fprintf(&text, "-%d + 1, [{ a = \"(((\" }], ", i)
	}
	text.WriteString("]\n  object = {\n")
	for i := range 5000 {
		fmt.Fprintf(&text, "    k%d = -1\n", i)
	}
	text.WriteString("  }\n}\n")
	for i := range 5000 {
		fmt.Fprintf(&text, "vpc \"v%d\" {\n  cidr_blocks = [\"${local.object.k1 + 1}\"]\n}\n", i)
	}
	if m, diags := load("a.hcl", text.String()); len(diags) > 0 || len(m.Blocks("vpc")) != 5000 {
		t.Fatalf("%d blocks, %v", len(m.Blocks("vpc")), diags)
	}
}

// TestSecretsStaySecret makes mistakes around sensitive values and looks for them in all that a person sees.
func TestSecretsStaySecret(t *testing.T) {
	const secret = "hunter2xx"
	archive, err := txtar.ParseFile("testdata/mistakes/sensitive.txtar")
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]Input{"fixture": setup(t, archive)}
	for name, declared := range map[string]string{
		"another type":     "type = number",
		"no expression":    "type = list(string)",
		"failing value":    "type = list(string)",
		"wrong default":    "type = number\n default = \"hunter2xx\"",
		"failing default":  "default = parseint(\"hunter2xx\", 10)",
		"default from env": "default = parseint(env(\"SECRET\"), 10)",
	} {
		given := secret + " +"
		if name == "failing value" {
			given = `[parseint("hunter2xx", 10)]`
		}
		in := Input{Kinds: testKinds, Files: []File{{"a.hcl", []byte("variable \"v\" {\n sensitive = true\n " + declared + "\n}\n")}}}
		in.Variables.Environ = []string{"SECRET=" + secret}
		if !strings.Contains(declared, "default") {
			in.Variables.Flags = []string{"v=" + given}
		}
		inputs[name] = in
	}
	inputs["misspelt"] = Input{Variables: Variables{Flags: []string{"passwrod=" + secret}}}
	for name, in := range inputs {
		t.Run(name, func(t *testing.T) {
			m, _, diags := loadAll(in)
			if !diags.HasErrors() {
				t.Fatal("no mistake was found")
			}
			if out := render(m, diags); strings.Contains(out, secret) {
				t.Errorf("the secret shows:\n%s", out)
			}
			for _, d := range diags {
				if strings.Contains(d.Summary+d.Detail, secret) || d.EvalContext != nil || d.Expression != nil {
					t.Errorf("the secret can be had from the diagnostic: %v", d)
				}
			}
		})
	}
}

func TestMask(t *testing.T) {
	m, _, diags := loadAll(Input{Kinds: testKinds, Files: []File{{"a.hcl", []byte(`
variable "v" {
  sensitive = true
  default   = { a = "first", b = ["first and more", "q\"uote", "two\nlines here"], n = 7, t = true, e = "" }
}
upstream "u" {
  text = upper(var.v.a)
}
`)}}})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	for given, want := range map[string]string{
		"a first one":        "a (sensitive) one",
		"first and more":     "(sensitive)",
		`says "q\"uote"`:     `says "(sensitive)"`,
		"3: lines here":      "3: (sensitive)",
		"7 of 17 is 7":       "7 of 17 is 7", // as short as this it stands in every text
		"derived: FIRST":     "derived: (sensitive)",
		"true, e, and so on": "true, e, and so on",
	} {
		if got := m.Mask(given); got != want {
			t.Errorf("Mask(%q) = %q, want %q", given, got, want)
		}
	}
}

func TestReadFile(t *testing.T) {
	var asked []string
	root := t.TempDir()
	m, _ := Load(Input{Root: root, ReadFile: func(path string) ([]byte, error) {
		asked = append(asked, path)
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}})
	abs, _, err := m.ReadFile("tls/ca.pem")
	if want := filepath.Join(root, "tls", "ca.pem"); abs != want || !slices.Equal(asked, []string{want}) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s, %v, %v", abs, asked, err)
	}
	if abs, _, _ = m.ReadFile("/etc/ca.pem"); abs != "/etc/ca.pem" {
		t.Error(abs)
	}
}

// TestPanicsAreDiagnostics: whatever breaks below Load becomes a diagnostic with a place.
func TestPanicsAreDiagnostics(t *testing.T) {
	m, diags := Load(Input{
		Files:     []File{{"a.hcl", []byte("vpc \"a\" {}\n")}},
		Kinds:     testKinds,
		Variables: Variables{Files: []string{"x"}},
		ReadFile:  func(string) ([]byte, error) { panic("broken disk") },
	})
	if m == nil || len(diags) != 1 || RuleOf(diags[0]) != RuleInternal || !strings.Contains(diags[0].Detail, "broken disk") {
		t.Errorf("got %v", diags)
	}
	m, _ = load("a.hcl", "vpc \"a\" {\n}\n")
	m.scope = nil
	body, diags := m.Decode(m.Blocks("vpc")[0], testSchemas["instance"])
	if body == nil || len(diags) == 0 {
		t.Errorf("%v, %v", body, diags)
	}
}

func TestHas(t *testing.T) {
	m, _ := load("a.hcl", "vpc \"a\" {}\nvpc \"a\" {}\nvpc \"b-c\" {}\nvpc \"d\" {\n x = [\n}\nvpc \"e\"\n{\n}\nvpc \"f\" {\n")
	for _, name := range []string{"a", "b-c", "d", "e", "f"} {
		if !m.Has("vpc", name) {
			t.Errorf("%q stands in the text", name)
		}
	}
	if m.Has("vpc", "z") || m.Has("upstream", "a") || m.Has("nothing", "a") {
		t.Error("what does not stand in the text")
	}
	if got := m.Blocks("vpc"); len(got) != 1 || got[0].Name != "a" {
		t.Errorf("good blocks: %v", got)
	}
}

func TestMissingOf(t *testing.T) {
	_, diags := load("a.hcl.json", `{"upstream": {"u": {"vpc": "${vpc[\"gone\"]}"}}}`)
	if len(diags) != 1 {
		t.Fatal(diags)
	}
	if ref, ok := MissingOf(diags[0]); !ok || ref != (Ref{"vpc", "gone"}) {
		t.Error(ref, ok)
	}
}

func TestSuggest(t *testing.T) {
	for _, test := range []struct{ given, want string }{
		{"upsteam", `Did you mean "upstream"?`},
		{"psuterma", ""},
		{"vcp", `Did you mean "vpc"?`},
		{"upstream", ""},
		{"x", ""},
		{"", ""},
		{"wieght", `Did you mean "weight"?`},
	} {
		if got := Suggest(test.given, []string{"upstream", "vpc", "weight", "description"}); got != test.want {
			t.Errorf("Suggest(%q) = %q, want %q", test.given, got, test.want)
		}
	}
}

// TestBroken: a body tells whether anything inside it was reported, at any depth, and nothing else does.
func TestBroken(t *testing.T) {
	m, _ := load("a.hcl", "upstream \"u\" {\n api \"x\" {\n  tls {\n   oops = 1\n  }\n }\n api \"y\" {}\n timeout = \"2s\"\n number = true\n}\n")
	b, diags := m.Decode(m.Blocks("upstream")[0], testSchemas["upstream"])
	apis := b.Blocks("api")
	if len(diags) != 2 || !b.Broken() || !apis[0].Broken() || !apis[0].Blocks("tls")[0].Broken() || apis[1].Broken() {
		t.Errorf("%v: %v %v", diags, b.Broken(), apis[1].Broken())
	}
	if v := b.Duration("timeout"); v.V != 2*time.Second || !v.Valid() || !v.Said() {
		t.Error(v)
	}
	if v := b.Int("number"); v.Valid() || !v.Said() || v.Or(9) != 9 || v.Range.Start.Line != 9 {
		t.Error(v)
	}
	if v := b.String("text"); v.Said() || v.Range != b.DefRange || b.Bool("flag").Or(true) != true {
		t.Error(v)
	}
}

// TestPartial: the attribute with a syntax error was said, and nothing beside it is known to be missing.
func TestPartial(t *testing.T) {
	m, diags := load("a.hcl", "instance \"i\" {\n  vpc = 10s\n  listener \"x\" {}\n}\n")
	if len(diags) != 1 || len(m.Blocks("instance")) != 0 {
		t.Fatal(diags)
	}
	b, diags := m.Decode(m.Rejected("instance")[0], testSchemas["instance"])
	if v := b.Ref("vpc"); len(diags) > 0 || v.State != Invalid || !b.Broken() || len(b.Blocks("listener")) != 1 {
		t.Error(diags, v)
	}
}

// TestEmptyDynamic: content that is never used is checked, and says nothing about its parent.
func TestEmptyDynamic(t *testing.T) {
	m, _ := load("a.hcl", "upstream \"u\" {\n dynamic \"node\" {\n  for_each = []\n  labels = [node.value]\n  content {\n   weight = node.value.w\n   vpc = node.value.v\n  }\n }\n}\n")
	b, diags := m.Decode(m.Blocks("upstream")[0], testSchemas["upstream"])
	if len(diags) > 0 || b.Broken() || len(b.Blocks("node")) != 0 {
		t.Error(diags, b.Broken())
	}
}

// TestManyMissingNames: finding near names stays bounded.
func TestManyMissingNames(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "upstream \"name_of_an_upstream_%d\" {\n  vpc = vpc.missing_%d\n}\nvpc \"name_of_a_vpc_%d\" {}\n", i, i, i)
	}
	begin := time.Now()
	_, diags := load("a.hcl", text.String())
	if took := time.Since(begin); len(diags) != 3000 || took > 20*time.Second {
		t.Errorf("%d diagnostics in %v", len(diags), took)
	}
}

// BenchmarkDecode is the size that the design has in mind: 10,000 upstreams of 10 nodes.
func BenchmarkDecode(b *testing.B) {
	var text strings.Builder
	text.WriteString("vpc \"main\" {}\nlocals {\n  weight = 3\n}\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "upstream \"u%d\" {\n  vpc = vpc.main\n  text = \"http\"\n  number = 5\n", i)
		for n := range 10 {
			fmt.Fprintf(&text, "  node \"10.0.%d.%d:8080\" {\n    weight = local.weight\n  }\n", i%250, n)
		}
		text.WriteString("}\n")
	}
	schema := *testSchemas["upstream"]
	schema.Blocks = slices.Clone(schema.Blocks)
	schema.Blocks[0].Max = 200
	m, diags := load("a.hcl", "# nothing\n")
	for b.Loop() {
		b.StopTimer()
		m, diags = Load(Input{Kinds: testKinds, Files: []File{{"a.hcl", []byte(text.String())}}})
		b.StartTimer()
		for _, block := range m.Blocks("upstream") {
			_, more := m.Decode(block, &schema)
			diags = append(diags, more...)
		}
	}
	if len(diags) > 0 {
		b.Fatal(diags)
	}
}
