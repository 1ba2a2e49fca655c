package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

// TestInvalid loads each file of testdata/invalid by itself. A line that is wrong ends with "# ERROR: summary", or
// "# WARNING: summary"; there must be these diagnostics and no others.
func TestInvalid(t *testing.T) {
	names, err := filepath.Glob("testdata/invalid/*.hcl")
	if err != nil || len(names) == 0 {
		t.Fatal("no fixtures", err)
	}
	root := writeFiles(t, nil)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text := must(os.ReadFile(name))
			r := FromText(filepath.Base(name), text, root, Options{Now: testNow})
			if diff := cmp.Diff(expected(text), found(r.Diagnostics)); diff != "" {
				t.Errorf("diagnostics (- expected, + found):\n%s", diff)
			}
			if r.HasErrors() == (r.Configuration != nil) {
				t.Error("a configuration with errors is handed out, or one without is not")
			}
		})
	}
}

var mark = regexp.MustCompile(`(ERROR|WARNING): (.*?)\s*(?:# |$)`)

func expected(text []byte) []string {
	var out []string
	for i, line := range strings.Split(string(text), "\n") {
		_, comment, _ := strings.Cut(line, "# ")
		for _, m := range mark.FindAllStringSubmatch(comment, -1) {
			out = append(out, fmt.Sprintf("%4d %s: %s", i+1, m[1], m[2]))
		}
	}
	slices.Sort(out)
	return out
}

func found(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		word := "ERROR"
		if d.Severity == hcl.DiagWarning {
			word = "WARNING"
		}
		line := 0
		if d.Subject != nil {
			line = d.Subject.Start.Line
		}
		out = append(out, fmt.Sprintf("%4d %s: %s", line, word, d.Summary))
	}
	slices.Sort(out)
	return out
}
