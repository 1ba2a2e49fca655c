package lang

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"
)

// FuzzLoad holds what the package promises of any input: no panic, and every diagnostic has a place inside a text
// that can be shown. The seeds are all fixtures.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range append(paths, "testdata/values.txtar") {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data, isJSON(file.Name))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, json bool) {
		file := File{Name: "a.hcl", Bytes: text}
		if json {
			file.Name = "a.hcl.json"
		}
		names := BlockNames(file)
		m, bodies, diags := loadAll(Input{
			Root: t.TempDir(), Files: []File{file}, Kinds: testKinds, Variables: Variables{Environ: environ},
		})
		for _, d := range diags {
			inText(t, m, d)
		}
		_ = render(m, diags)
		if diags.HasErrors() {
			return
		}
		for id := range bodies {
			if !slices.Contains(names, id) {
				t.Errorf("BlockNames lacks %q: %q", id, names)
			}
		}
	})
}

// inText fails when a diagnostic's range is not one of a text that can be shown.
func inText(t *testing.T, m *Module, d *hcl.Diagnostic) {
	t.Helper()
	if d.Subject == nil || m.Files()[d.Subject.Filename] == nil {
		t.Fatalf("no place: %s: %s", d.Summary, d.Detail)
	}
	r, size := *d.Subject, len(m.Files()[d.Subject.Filename].Bytes)
	if r.Start.Line < 1 || r.Start.Column < 1 || r.Start.Byte > r.End.Byte || r.End.Byte > size {
		t.Fatalf("%#v is outside of %d bytes: %s: %s", r, size, d.Summary, d.Detail)
	}
	if RuleOf(d) == "" || RuleOf(d) == RuleInternal {
		t.Fatalf("rule %q: %s: %s", RuleOf(d), d.Summary, d.Detail)
	}
}
