package lang

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write golden files anew")

// The kinds and schemas of the tests: every type of attribute, every kind of label, bounds.
var (
	testKinds = []string{"vpc", "instance", "upstream"}
	leaf      = &Schema{}
	nodes     = &Schema{Attributes: []Attribute{
		{Name: "address", Type: String}, {Name: "weight", Type: Int}, {Name: "vpc", Type: Reference, Kind: "vpc"},
	}}
	inner = &Schema{
		Attributes: []Attribute{{Name: "path", Type: String}, {Name: "upstream", Type: Reference, Kind: "upstream"}},
		Blocks:     []BlockType{{Type: "mock", Max: 1, Schema: leaf}, {Type: "tls", Schema: leaf}},
	}
	testSchemas = map[string]*Schema{
		"vpc": {Attributes: []Attribute{{Name: "cidr_blocks", Type: StringList}}},
		"instance": {
			Attributes: []Attribute{
				{Name: "vpc", Type: Reference, Kind: "vpc", Required: true},
				{Name: "peers", Type: ReferenceList, Kind: "vpc"},
			},
			Blocks: []BlockType{{Type: "listener", Label: NameLabel, Min: 1, Schema: nodes}},
		},
		"upstream": {
			Attributes: []Attribute{
				{Name: "vpc", Type: Reference, Kind: "vpc"},
				{Name: "text", Type: String},
				{Name: "number", Type: Int},
				{Name: "flag", Type: Bool},
				{Name: "timeout", Type: Duration},
				{Name: "list", Type: StringList},
				{Name: "path", Type: String},
				{Name: "path_prefix", Type: String},
			},
			Blocks: []BlockType{
				{Type: "node", Label: FreeLabel, Max: 3, Schema: nodes},
				{Type: "api", Label: NameLabel, Schema: inner},
				{Type: "backend", Max: 1, Schema: inner},
				{Type: "instance", Label: NameLabel, Schema: leaf},
			},
		},
	}
)

// environ is what env() and WEIR_VAR_ see unless a fixture says something else.
var environ = []string{"HOME_OF_TEST=here"}

// setup is the input that an archive describes: its files, and the lines of the files "flags" and "environ".
func setup(t *testing.T, archive *txtar.Archive) Input {
	t.Helper()
	root := t.TempDir()
	in := Input{Root: root, Kinds: testKinds, Variables: Variables{Environ: environ}}
	for _, f := range archive.Files {
		switch lines := strings.Split(strings.TrimSpace(string(f.Data)), "\n"); {
		case f.Name == "flags":
			for _, line := range lines {
				if path, ok := strings.CutPrefix(line, "--var-file "); ok {
					in.Variables.Files = append(in.Variables.Files, filepath.Join(root, path))
				} else {
					in.Variables.Flags = append(in.Variables.Flags, strings.TrimPrefix(line, "--var "))
				}
			}
		case f.Name == "environ":
			in.Variables.Environ = append(in.Variables.Environ, lines...)
		case f.Name == "expect":
		default:
			path := filepath.Join(root, f.Name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(f.Name, ".hcl") && !strings.HasSuffix(f.Name, ".hcl.json") {
				continue
			}
			in.Files = append(in.Files, File{Name: f.Name, Bytes: f.Data})
		}
	}
	return in
}

// loadAll loads and decodes everything, also what was rejected.
func loadAll(in Input) (*Module, map[string]*Body, hcl.Diagnostics) {
	m, diags := Load(in)
	bodies := map[string]*Body{}
	for _, kind := range in.Kinds {
		for _, b := range m.Blocks(kind) {
			body, more := m.Decode(b, testSchemas[kind])
			bodies[kind+"."+b.Name] = body
			diags = append(diags, more...)
		}
		for _, b := range m.Rejected(kind) {
			_, more := m.Decode(b, testSchemas[kind])
			diags = append(diags, more...)
		}
	}
	return m, bodies, diags
}

// render is what a person would see.
func render(m *Module, diags hcl.Diagnostics) string {
	var out strings.Builder
	_ = hcl.NewDiagnosticTextWriter(&out, m.Files(), 100, false).WriteDiagnostics(diags)
	return m.Mask(out.String())
}

// expectation is one diagnostic: where it stands, its summary, and a part of its detail.
type expectation struct {
	place, severity, summary, detail string
}

var (
	inComment = regexp.MustCompile(`# (ERROR|WARNING): `)
	inSidecar = regexp.MustCompile(`^(\S.*):(\d+) (ERROR|WARNING): (.*)$`)
)

func expectations(t *testing.T, archive *txtar.Archive) []expectation {
	t.Helper()
	var all []expectation
	add := func(place, severity, text string) {
		summary, detail, _ := strings.Cut(text, " | ")
		all = append(all, expectation{place, severity, strings.TrimSpace(summary), strings.TrimSpace(detail)})
	}
	for _, f := range archive.Files {
		for i, line := range strings.Split(string(f.Data), "\n") {
			if f.Name == "expect" {
				m := inSidecar.FindStringSubmatch(line)
				if m == nil && line != "" {
					t.Fatalf("expect: %q is no FILE:LINE ERROR: ...", line)
				}
				if m != nil {
					add(m[1]+":"+m[2], m[3], m[4])
				}
				continue
			}
			marks := inComment.FindAllStringSubmatchIndex(line, -1)
			for n, mark := range marks {
				end := len(line)
				if n+1 < len(marks) {
					end = marks[n+1][0]
				}
				add(f.Name+":"+strconv.Itoa(i+1), line[mark[2]:mark[3]], line[mark[1]:end])
			}
		}
	}
	return all
}

// met tells whether a diagnostic is the expected one.
func (e expectation) met(d *hcl.Diagnostic, root string) bool {
	severity := map[hcl.DiagnosticSeverity]string{hcl.DiagError: "ERROR", hcl.DiagWarning: "WARNING"}[d.Severity]
	place := strings.TrimPrefix(fmt.Sprintf("%s:%d", d.Subject.Filename, d.Subject.Start.Line), root+"/")
	return e.place == place && e.severity == severity && e.summary == d.Summary && strings.Contains(d.Detail, e.detail)
}

// TestMistakes holds every message: each file below testdata/mistakes is an archive of input files that carry the
// expected diagnostics on the offending lines, or in the file "expect" where a line cannot carry a comment.
func TestMistakes(t *testing.T) {
	paths, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(paths) < 10 {
		t.Fatalf("fixtures: %d, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in := setup(t, archive)
			m, _, diags := loadAll(in)
			check(t, in, m, diags, expectations(t, archive))
		})
	}
}

func check(t *testing.T, in Input, m *Module, diags hcl.Diagnostics, want []expectation) {
	t.Helper()
	for _, d := range diags {
		if d.Subject == nil || m.Files()[d.Subject.Filename] == nil {
			t.Fatalf("no place that can be shown: %v", d)
		}
		if text := m.Files()[d.Subject.Filename].Bytes; len(text) > 0 && d.Subject.Start.Byte < len(text) && text[d.Subject.Start.Byte] == '\n' {
			t.Errorf("nothing to underline: %s", render(m, hcl.Diagnostics{d}))
		}
		if RuleOf(d) == "" || RuleOf(d) == RuleInternal {
			t.Errorf("rule %q of: %s: %s", RuleOf(d), d.Summary, d.Detail)
		}
		found := false
		for i, e := range want {
			if e.met(d, in.Root) {
				want = append(want[:i:i], want[i+1:]...)
				found = true
				break
			}
		}
		if !found {
			t.Errorf("unexpected:\n%s", render(m, hcl.Diagnostics{d}))
		}
	}
	for _, e := range want {
		t.Errorf("missing: %s %s: %s | %s", e.place, e.severity, e.summary, e.detail)
	}
}

// TestValues loads a text without a mistake and looks at all that it says.
func TestValues(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/values.txtar")
	if err != nil {
		t.Fatal(err)
	}
	in := setup(t, archive)
	m, bodies, diags := loadAll(in)
	check(t, in, m, diags, nil)
	var ids []string
	for id := range bodies {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	var got strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&got, "%s\n%s", id, dump(bodies[id], "  "))
	}
	golden(t, "testdata/values.golden", got.String())
}

// dump prints all that a body says.
func dump(b *Body, indent string) string {
	var out strings.Builder
	for i, a := range b.schema.Attributes {
		v := b.values[i]
		if v.state == Absent {
			continue
		}
		fmt.Fprintf(&out, "%s%s = %s", indent, a.Name, shown(v))
		if v.sensitive {
			out.WriteString(" (sensitive)")
		}
		out.WriteString("\n")
	}
	for i, typ := range b.schema.Blocks {
		for _, inner := range b.blocks[i] {
			fmt.Fprintf(&out, "%s%s %q\n%s", indent, typ.Type, inner.Label.V, dump(inner, indent+"  "))
		}
	}
	return out.String()
}

func shown(v value) string {
	if v.state == Invalid {
		return "invalid"
	}
	switch list := v.v.(type) {
	case []Value[string]:
		var items []string
		for _, item := range list {
			items = append(items, fmt.Sprintf("%q", item.V))
		}
		return fmt.Sprint(items)
	case []Value[Ref]:
		var items []string
		for _, item := range list {
			items = append(items, spelling(item.V, false))
		}
		return fmt.Sprint(items)
	case string:
		return fmt.Sprintf("%q", list)
	case Ref:
		return spelling(list, false)
	}
	return fmt.Sprint(v.v)
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, got)
	}
}

// sortBlocks puts the blocks of each type into an order that does not depend on the text.
func sortBlocks(b *Body) {
	for _, list := range b.blocks {
		for _, inner := range list {
			sortBlocks(inner)
		}
		sort.SliceStable(list, func(i, j int) bool {
			if list[i].Label.V != list[j].Label.V {
				return list[i].Label.V < list[j].Label.V
			}
			return dump(list[i], "") < dump(list[j], "")
		})
	}
}
