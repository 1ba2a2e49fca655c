package config

import (
	"errors"
	"fmt"
	"github.com/weirproxy/weir/config/lang"
	"io/fs"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

func TestWords(t *testing.T) {
	for want, got := range map[string]string{
		"a":          list([]string{"a"}, "and"),
		"a, b and c": list([]string{"a", "b", "c"}, "and"),
		`"a" or "b"`: quotedList([]string{"a", "b"}, "or"),
		"":           list(nil, "and"),
		"1 node":     count(1, "node"),
		"0 nodes":    count(0, "node"),
		"1st 2nd 3rd 4th 11th 12th 13th 21st 112th": strings.Join([]string{
			ordinal(1), ordinal(2), ordinal(3), ordinal(4), ordinal(11), ordinal(12), ordinal(13), ordinal(21), ordinal(112)}, " "),
		"vpc.main":               refer("vpc", "main"),
		`vpc["1st"]`:             refer("vpc", "1st"),
		"There is no such file.": readWords(&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrNotExist}),
		"The file may not be read: permission denied.": readWords(fmt.Errorf("read: %w", fs.ErrPermission)),
		"It cannot be read: is a directory.":           readWords(&fs.PathError{Op: "read", Path: "/x", Err: errors.New("is a directory")}),
		"It cannot be read: broken.":                   readWords(errors.New("broken")),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// TestFreeCCNName makes the block of rule 4's remedy one that can be pasted.
func TestFreeCCNName(t *testing.T) {
	long := strings.Repeat("x", 30)
	for text, want := range map[string]string{
		"":                        "a_b",
		`ccn "a_b" { vpcs = [] }`: "backbone",
		"ccn \"a_b\" {\n vpcs = [] \n}\nccn \"backbone\" {\n vpcs = []\n}\n": "backbone_2",
	} {
		module, diags := lang.Load(lang.Input{Root: t.TempDir(), Files: []lang.File{{Name: "weir.hcl", Bytes: []byte(text + "\n")}}, Kinds: kinds})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		l := &loader{module: module}
		if got := l.freeCCNName("a", "b"); got != want {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
		if got := l.freeCCNName(long, long); !isName(got) {
			t.Errorf("%q is no name", got)
		}
	}
}

func TestSnippetTakesWholeLines(t *testing.T) {
	file := pageOf("a = 1\nb = [\n  2,\n]\nc = 3", func(s string) string { return s })
	at := func(line, from, to int) hcl.Range {
		return hcl.Range{Start: hcl.Pos{Line: line, Byte: from}, End: hcl.Pos{Byte: to}}
	}
	for want, r := range map[string]hcl.Range{
		"a = 1":          at(1, 4, 5),
		"b = [\n  2,\n]": at(2, 10, 18),
		"c = 3":          at(5, 24, 99),
	} {
		if got := file.snippet(r); got.Code != want || got.StartLine != r.Start.Line {
			t.Errorf("%q at %d, not %q", got.Code, got.StartLine, want)
		}
	}
	for _, r := range []hcl.Range{at(9, 99, 100), at(1, 5, 4)} {
		if got := file.snippet(r); got != nil {
			t.Errorf("%v: %q", r, got.Code)
		}
	}
	if (*page)(nil).snippet(at(1, 0, 1)) != nil {
		t.Error("a snippet of no file")
	}
}
