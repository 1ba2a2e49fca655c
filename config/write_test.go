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
	"unicode/utf8"

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

func pageOf(text string, mask func(string) string) *page {
	p := pages{source: func(string) *hcl.File { return &hcl.File{Bytes: []byte(text)} }, mask: mask, known: map[string]*page{}}
	return p.of("weir.hcl")
}

func bytesFrom(from, to int) hcl.Range {
	return hcl.Range{Start: hcl.Pos{Byte: from}, End: hcl.Pos{Byte: to}}
}

// TestMaskMovesTheSubject holds that a mask that is longer or shorter than the secret loses nothing else of the line.
func TestMaskMovesTheSubject(t *testing.T) {
	mask := strings.NewReplacer("pw1", "(sensitive)", "a long password é", "(sensitive)").Replace
	for _, c := range []struct {
		line, subject string
		want          parts
	}{
		{`x = ["pw1", nope]`, "nope", parts{`x = ["(sensitive)", `, "nope", "]"}},
		{`x = ["a long password é", nope] # pw1`, "nope", parts{`x = ["(sensitive)", `, "nope", "] # (sensitive)"}},
		{`x = "pw1" # note`, `"pw1"`, parts{"x = ", `"(sensitive)"`, " # note"}},
		{`x = "a long password é" # é`, "password", parts{`x = "`, "(sensitive)", `" # é`}},
		{`x = nope # pw1`, "nope", parts{"x = ", "nope", " # (sensitive)"}},
	} {
		from := strings.Index(c.line, c.subject)
		text := "é\n" + c.line + "\r\nz = 1"
		if got := pageOf(text, mask).parts(1, bytesFrom(from+3, from+3+len(c.subject))); got != c.want {
			t.Errorf("%s: %q, not %q", c.line, got, c.want)
		}
	}
}

// TestVisible holds that nothing that a terminal obeys reaches it.
func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 👨‍👩‍👧\t.":       "plain é 👨‍👩‍👧\t.",
		"\x1b]0;owned\a\r\b\x7f": "␛]0;owned␇␍␈␡",
		"\u009b2J \u202ecba":     `\u009b2J \u202ecba`,
		"gr\xf6\xdfe \ufffd":     `gr\xf6\xdfe ` + "\ufffd",
		"a\x00b\nc":              "a␀b␊c",
	} {
		if got := visible(in); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
	if got := visibleText("a\x1b\nb"); got != "a␛\nb" {
		t.Errorf("%q", got)
	}
}

// TestTextIsHarmless writes messages about files that try to take over the terminal.
func TestTextIsHarmless(t *testing.T) {
	for name, text := range map[string]string{
		"escapes":   "vpc \"a\" { # \x1b[2J\x1b]0;x\a\n  cidr = \"\x1b[31m\u009b\" # \x1b[8m\n}\n",
		"label":     "vpc \"\x1b[2Jx\" {}\n",
		"reference": "ccn \"a\" { vpcs = [vpc[\"\x1b[2J\"]] }\n",
		"latin 1":   "vpc \"a\" {} # gr\xf6\xdfe \x1b[2J\n",
		"binary":    "\x7fELF\x02\x01\x01\x00\x1b[2J" + strings.Repeat("\x00\xff\x1b", 500) + "\n",
	} {
		r := FromText("we\x1bir.hcl", []byte(text), t.TempDir(), Options{})
		if !r.HasErrors() {
			t.Fatalf("%s: accepted", name)
		}
		var out, report bytes.Buffer
		if err := errors.Join(r.WriteText(&out, false, 80), r.WriteJSON(&report)); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(out.String(), func(r rune) bool { return r != '\n' && hazardous(r) }) || !utf8.Valid(out.Bytes()) {
			t.Errorf("%s: %q", name, out.String())
		}
		if name == "binary" && (out.Len() > 1000 || strings.Contains(report.String(), `"snippet"`)) {
			t.Errorf("a screenful:\n%s%s", out.String(), report.String())
		}
	}
}

// TestLongLinesAreCut shows what is near the subject, wherever in the line it stands.
func TestLongLinesAreCut(t *testing.T) {
	long := strings.Repeat("ab é ", 100_000)
	for name, text := range map[string]string{
		"start":  "vpc \"a\" { nope = 1 } # " + long,
		"middle": "/* " + long + " */ vpc \"a\" { nope = 1 } # " + long,
		"end":    "/* " + long + " */ vpc \"a\" { nope = 1 }",
		"itself": "vpc \"a\" { description = [\"" + long + "\"] }",
	} {
		r := FromText("weir.hcl", []byte(text+"\n"), t.TempDir(), Options{})
		if !r.HasErrors() {
			t.Fatalf("%s: accepted", name)
		}
		var out bytes.Buffer
		if err := r.WriteText(&out, false, 0); err != nil {
			t.Fatal(err)
		}
		snippet := r.pages().of("weir.hcl").snippet(*r.Diagnostics[0].Subject).Code
		for _, line := range append(strings.Split(out.String(), "\n"), snippet) {
			if utf8.RuneCountInString(line) > 420 {
				t.Errorf("%s: a line of %d columns", name, utf8.RuneCountInString(line))
			}
		}
		lines := strings.Split(out.String(), "\n")
		under := []rune(lines[4])
		subject := strings.TrimSuffix(string([]rune(lines[3])[strings.Count(string(under), " "):len(under)]), "…")
		if !strings.Contains(snippet, "…") || name != "itself" && subject != "nope" || name == "itself" && !strings.HasPrefix(subject, "[\"ab é ") {
			t.Errorf("%s: %q is underlined", name, subject)
		}
	}
}

// TestEmptySubjectsHaveALine points at the end of a line, and at the end of a file.
func TestEmptySubjectsHaveALine(t *testing.T) {
	for text, want := range map[string]string{
		"vpc \"a\" {\n  description =\n}\n": "   2:   description =\n                    ^\n",
		"vpc \"a\" {\n  description = [\n":  "   2:   description = [\n",
	} {
		for _, end := range []string{"\n", "\r\n"} {
			r := FromText("weir.hcl", []byte(strings.ReplaceAll(text, "\n", end)), t.TempDir(), Options{})
			var out bytes.Buffer
			if err := r.WriteText(&out, false, 0); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q:\n%s", text, out.String())
			}
		}
	}
	p := pageOf("a\n", nil)
	p.mask = func(s string) string { return s }
	if got := p.lineOf(2); got != 1 || len(p.line(got)) != 0 {
		t.Errorf("the end of the file is in line %d", got+1)
	}
}

// TestSARIFCountsCodePoints holds columnKind: HCL's own columns are grapheme clusters.
func TestSARIFCountsCodePoints(t *testing.T) {
	r := FromText("weir.hcl", []byte("vpc \"a\" { description = \"👨‍👩‍👧 é\" + vpc.nope }\n"), t.TempDir(), Options{})
	var out bytes.Buffer
	if err := r.WriteSARIF(&out); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	for i, d := range r.Diagnostics {
		line := []rune(string(r.source("weir.hcl").Bytes))
		got := log.Runs[0].Results[i].Locations[0].PhysicalLocation.Region
		want := string(r.source("weir.hcl").Bytes[d.Subject.Start.Byte:d.Subject.End.Byte])
		if found := string(line[got.StartColumn-1 : got.EndColumn-1]); found != want {
			t.Errorf("%s: %q, not %q", d.Summary, found, want)
		}
		if want == "vpc.nope" && got.StartColumn != d.Subject.Start.Column+4 {
			t.Errorf("column %d", got.StartColumn)
		}
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
				if err := hcl.NewDiagnosticTextWriter(&theirs, map[string]*hcl.File{"weir.hcl": r.source("weir.hcl")}, 80, color).WriteDiagnostics(r.Diagnostics); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(theirs.String(), added.ReplaceAllString(ours.String(), "")); diff != "" {
					t.Errorf("%s (- HCL's, + ours):\n%s", form, diff)
				}
			}
		}
	}
}
