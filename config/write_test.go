package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
)

const password = "correct horse"

// printFixture has errors, a warning, an upstream without a good name, and a sensitive value in its lines, in a
// message and in a comment.
func printFixture(t *testing.T) *Result {
	t.Helper()
	text := must(os.ReadFile("testdata/print/weir.hcl"))
	return FromText("weir.hcl", text, t.TempDir(), Options{
		Now: testNow, Prefix: "some dir/conf",
		Variables: lang.Variables{Flags: []string{"password=" + password}},
	})
}

func TestWrite(t *testing.T) {
	r := printFixture(t)
	for name, write := range map[string]func(io.Writer) error{
		"text":  func(w io.Writer) error { return r.WriteText(w, false, 72) },
		"color": func(w io.Writer) error { return r.WriteText(w, true, 0) },
		"json":  r.WriteJSON,
		"sarif": r.WriteSARIF,
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), password) || strings.Contains(out.String(), "horse") {
				t.Errorf("the sensitive value is shown:\n%s", out.String())
			}
			golden := filepath.Join("testdata/print", name+".golden")
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := must(os.ReadFile(golden))
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("(- expected, + found):\n%s", diff)
			}
			if err := write(failing{}); !errors.Is(err, errFull) {
				t.Errorf("a failed write is reported as %v", err)
			}
		})
	}
}

var errFull = errors.New("disk full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

// TestDiagnosticsAreMasked is for those who log diagnostics instead of printing a Result.
func TestDiagnosticsAreMasked(t *testing.T) {
	for _, d := range printFixture(t).Diagnostics {
		if strings.Contains(d.Summary+d.Detail, password) {
			t.Errorf("%s: %s", d.Summary, d.Detail)
		}
	}
}

// TestWriteNothing holds that programs find lists, not null, where nothing is wrong.
func TestWriteNothing(t *testing.T) {
	r := FromText("weir.hcl", []byte("vpc \"main\" {}\n"), t.TempDir(), Options{})
	var text, report, sarif bytes.Buffer
	for _, err := range []error{r.WriteText(&text, true, 80), r.WriteJSON(&report), r.WriteSARIF(&sarif)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if text.Len() > 0 {
		t.Errorf("text: %q", text.String())
	}
	want := `{"format_version":"1.0","valid":true,"error_count":0,"warning_count":0,"diagnostics":[]}`
	var compact bytes.Buffer
	if err := json.Compact(&compact, report.Bytes()); err != nil || compact.String() != want {
		t.Errorf("JSON: %s %v", compact.String(), err)
	}
	if !strings.Contains(sarif.String(), `"results": []`) || !strings.Contains(sarif.String(), `"rules": []`) {
		t.Errorf("SARIF: %s", sarif.String())
	}
}

// TestWriteWithoutPlace prints a mistake that stands in no file.
func TestWriteWithoutPlace(t *testing.T) {
	r, err := Load(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var report, sarif bytes.Buffer
	for _, err := range []error{r.WriteJSON(&report), r.WriteSARIF(&sarif)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(report.String(), `"range"`) || strings.Contains(sarif.String(), `"locations"`) {
		t.Errorf("a place is shown:\n%s%s", report.String(), sarif.String())
	}
}

// TestSARIFIsWhole holds what the schema of SARIF 2.1.0 and code hosts ask for beyond the golden file.
func TestSARIFIsWhole(t *testing.T) {
	var out bytes.Buffer
	r := printFixture(t)
	if err := r.WriteSARIF(&out); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != len(r.Diagnostics) {
		t.Errorf("%d results of %d diagnostics", len(run.Results), len(r.Diagnostics))
	}
	for _, result := range run.Results {
		if rule := run.Tool.Driver.Rules[result.RuleIndex]; rule.ID != result.RuleID || rule.ShortDescription.Text == "" {
			t.Errorf("result of %q points at rule %q: %q", result.RuleID, rule.ID, rule.ShortDescription.Text)
		}
		place := result.Locations[0].PhysicalLocation
		region := place.Region
		if region.StartLine < 1 || region.StartColumn < 1 || region.EndLine < region.StartLine ||
			region.EndLine == region.StartLine && region.EndColumn <= region.StartColumn {
			t.Errorf("region %+v", region)
		}
		if place.ArtifactLocation.URI != "some%20dir/conf/weir.hcl" {
			t.Errorf("artifact %q", place.ArtifactLocation.URI)
		}
	}
}

func TestMaskLinesMovesNothing(t *testing.T) {
	mask := strings.NewReplacer("pw", "(sensitive)", "a long password", "(sensitive)").Replace
	in := "x = \"pw\"\ny = \"a long password\" # é\r\nz = 1"
	out := string(maskLines([]byte(in), mask))
	if len(out) != len(in) || strings.Contains(out, "pw") || strings.Contains(out, "password") {
		t.Errorf("%q", out)
	}
	if before, after := strings.Index(in, "z = 1"), strings.Index(out, "z = 1"); before != after {
		t.Errorf("z moved from %d to %d", before, after)
	}
}

// added is what WriteText says beyond HCL's own writer: columns, and underlines without colour.
var added = regexp.MustCompile(`(?m), column \d+|^\s*\^+\n`)

// TestTextIsHCLs holds WriteText against HCL's own writer, whose form it promises.
func TestTextIsHCLs(t *testing.T) {
	names, err := filepath.Glob("testdata/invalid/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	root := writeFiles(t, nil)
	for _, name := range append(names, "testdata/print/weir.hcl") {
		text := must(os.ReadFile(name))
		for form, text := range map[string][]byte{
			name: text, name + " with CRLF": bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), name + " cut": text[:len(text)*2/3],
		} {
			r := FromText("weir.hcl", text, root, Options{Now: testNow})
			for _, color := range []bool{false, true} {
				var ours, theirs bytes.Buffer
				if err := r.WriteText(&ours, color, 80); err != nil {
					t.Fatal(err)
				}
				if err := hcl.NewDiagnosticTextWriter(&theirs, r.files, 80, color).WriteDiagnostics(r.Diagnostics); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(theirs.String(), added.ReplaceAllString(ours.String(), "")); diff != "" {
					t.Errorf("%s (- HCL's, + ours):\n%s", form, diff)
				}
			}
		}
	}
}
