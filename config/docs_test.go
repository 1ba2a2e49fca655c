package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir/config/function"
	"github.com/weirproxy/weir/config/lang"
)

var (
	heading = regexp.MustCompile("(?m)^###+ (.*)$")
	row     = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)( \"[A-Z:]+\")?` \\|")
	quoted  = regexp.MustCompile("`([a-z0-9_]+)`")
)

// The language reference names every block and attribute of the schemas, in the section of its block, and no other.
func TestReferenceHoldsSchemas(t *testing.T) {
	documented := sections(t)
	for _, kind := range kinds {
		compareSection(t, documented, kind, schemas[kind])
	}
}

func compareSection(t *testing.T, documented map[string][]string, path string, s *lang.Schema) {
	t.Helper()
	var want []string
	for _, a := range s.Attributes {
		want = append(want, a.Name)
	}
	for _, b := range s.Blocks {
		want = append(want, b.Type)
		compareSection(t, documented, path+"."+b.Type, b.Schema)
	}
	slices.Sort(want)
	if got := documented[path]; !slices.Equal(got, want) {
		t.Errorf("docs/language.md, section %q, has rows for %q; the schema has %q", path, got, want)
	}
}

// sections are the names that stand first in the rows of each section's tables, sorted. A heading may name several blocks.
func sections(t *testing.T) map[string][]string {
	t.Helper()
	text := languageReference(t)
	at := heading.FindAllStringSubmatchIndex(text, -1)
	out := map[string][]string{}
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		var names []string
		for _, r := range row.FindAllStringSubmatch(text[m[1]:end], -1) {
			names = append(names, r[1])
		}
		slices.Sort(names)
		for _, block := range strings.Split(text[m[2]:m[3]], ", ") {
			out[block] = names
		}
	}
	return out
}

// The language reference lists every function, and no other.
func TestReferenceHoldsFunctions(t *testing.T) {
	_, text, found := strings.Cut(languageReference(t), "| about | functions |")
	if !found {
		t.Fatal("docs/language.md has no table of functions")
	}
	table, _, _ := strings.Cut(text, "\n\n")
	var got []string
	for _, m := range quoted.FindAllStringSubmatch(table, -1) {
		got = append(got, m[1])
	}
	slices.Sort(got)
	if want := function.Names(); !slices.Equal(got, want) {
		t.Errorf("docs/language.md lists\n%q\nthere are\n%q", got, want)
	}
}

func languageReference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
