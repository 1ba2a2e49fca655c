package lang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestSensitiveValuesFromOutside gives a sensitive variable values that are wrong, or that never reach it: each is
// reported, and neither the words nor the text around shows them.
func TestSensitiveValuesFromOutside(t *testing.T) {
	const sensitive = "variable \"tok\" {\n  sensitive = true\n  type = number\n}\n"
	tests := []struct{ name, config, file, text string }{
		{"a word", sensitive, "f.hcl", "tok = SuperSecret9\n"},
		{"a word in a list", sensitive, "f.hcl", "tok = [SuperSecret9, 1]\n"},
		{"an attribute of a word", sensitive, "f.hcl", "tok = vpc.SuperSecret9\n"},
		{"a call", sensitive, "f.hcl", "tok = SuperSecret9(1)\n"},
		{"text of another type", sensitive, "f.hcl", "tok = \"SuperSecret9\"\n"},
		{"a failing call", sensitive, "f.hcl", "tok = parseint(\"SuperSecret9\", 10)\n"},
		{"a syntax error", sensitive, "f.hcl", "tok = 15SuperSecret9\n"},
		{"a syntax error behind it", sensitive, "f.hcl", "tok = \"SuperSecret9\" x = 5\n"},
		{"said twice", sensitive, "f.hcl", "tok = 1\ntok = \"SuperSecret9\"\n"},
		{"a block", sensitive, "f.hcl", "tok \"SuperSecret9\" {\n  SuperSecret9 = 1\n}\ntok = 1\n"},
		{"no text", sensitive, "f.hcl", "tok = \"SuperSecret9\x00\"\n"},
		{"JSON that is not closed", sensitive, "f.json", `{"tok": "SuperSecret9}`},
		{"JSON that is no object", sensitive, "f.json", `"SuperSecret9"`},
		{"JSON of another type", sensitive, "f.json", `{"tok": "SuperSecret9"}`},
		{"JSON of another type, nested", sensitive, "f.json", `{"tok": {"SuperSecret9": ["SuperSecret9"]}}`},
		{"a misspelt name", sensitive, "f.json", `{"tokk": "SuperSecret9","tok":1}`},
		{"a misspelt name in HCL", sensitive, "f.hcl", "tokk = \"SuperSecret9\"\ntok = 1\n"},
		{"another variable on the line", sensitive + "variable \"n\" {\n  type = number\n}\n", "f.json", `{"n": "x", "tok": 123456789, "t": "SuperSecret9"}`},
		{"sensitivity that is not known", "variable \"tok\" {\n  sensitive = maybe\n}\n", "f.hcl", "tok = SuperSecret9\n"},
		{"a variable that is lost", "variable \"tok\" {\n  sensitive = = true\n}\n", "f.hcl", "tok = SuperSecret9\n"},
		{"a default", "variable \"tok\" {\n  sensitive = true\n  default = SuperSecret9\n}\n", "f.hcl", "\n"},
		{"--var", sensitive, "", "tok=Super SuperSecret9"},
		{"--var, a word", sensitive, "", "tok=[SuperSecret9]"},
		{"--var of another type", sensitive, "", "tok=\"SuperSecret9\""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := Input{Files: []File{{"a.hcl", []byte(test.config)}}}
			if test.file == "" {
				in.Variables.Flags = []string{test.text}
			} else {
				path := filepath.Join(t.TempDir(), test.file)
				if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
					t.Fatal(err)
				}
				in.Variables.Files = []string{path}
			}
			m, diags := Load(in)
			if len(diags) == 0 {
				t.Fatal("nothing is reported")
			}
			var shown strings.Builder
			_ = hcl.NewDiagnosticTextWriter(&shown, m.Files(), 100, false).WriteDiagnostics(diags)
			if strings.Contains(shown.String(), "Secret") {
				t.Errorf("shown:\n%s", shown.String())
			}
		})
	}
}

// TestShortSensitiveValue has a value that no mask takes away.
func TestShortSensitiveValue(t *testing.T) {
	m, _, diags := loadAll(Input{Kinds: testKinds, Files: []File{{"a.hcl", []byte(`
variable "v" {
  sensitive = true
  default   = "q7"
}
variable "n" {
  sensitive = true
  default   = 77
}
locals {
  sum = sensitive(1) + 1
}
upstream "u" {
  timeout = var.v
  list    = [null, "2 of 2"]
}
upstream "w" {
  timeout = var.n
}
`)}}})
	shown := render(m, diags)
	if len(diags) != 3 || strings.Contains(shown, "q7") || strings.Contains(shown, "77") || !strings.Contains(shown, "2 of 2") {
		t.Errorf("shown:\n%s", shown)
	}
}
