package lang

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
)

// The blocks of the language itself.
const (
	localsBlock   = "locals"
	variableBlock = "variable"
	dynamicBlock  = "dynamic"
)

// isJSON tells a file's syntax by its name.
func isJSON(name string) bool { return strings.HasSuffix(name, ".json") }

// parse reads all files and takes their top-level blocks.
func (l *loader) parse() {
	files := append([]File(nil), l.in.Files...)
	sort.SliceStable(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	top := &shape{blocks: map[string]int{localsBlock: 0, variableBlock: 1, dynamicBlock: 1}, where: "a configuration file"}
	for _, kind := range l.in.Kinds {
		top.blocks[kind] = 1
	}
	for _, f := range files {
		before := len(l.diags.list)
		in, ok := parseFile(f, l.m.files, &l.diags)
		bad := append(hcl.Diagnostics(nil), l.diags.list[before:]...)
		if len(bad) > 0 {
			l.rescue(f)
		}
		if ok {
			l.take(in, top, bad)
		}
	}
}

// parseFile is the inside of one file, as far as it parses.
func parseFile(f File, files map[string]*hcl.File, d *diagnostics) (in inside, ok bool) {
	files[f.Name] = &hcl.File{Bytes: f.Bytes}
	if bad := unreadable(f); bad != nil {
		d.add(bad)
		return in, false
	}
	defer func() {
		if p := recover(); p != nil {
			d.error(RuleInternal, start(f.Name), "weir failed on this file", broke(p))
			ok = false
		}
	}()
	if isJSON(f.Name) {
		return parseJSON(f, d)
	}
	file, diags := hclsyntax.ParseConfig(f.Bytes, f.Name, hcl.InitialPos)
	for _, diag := range diags {
		d.add(syntaxMistake(diag, f.Bytes))
	}
	body, isBody := file.Body.(*hclsyntax.Body)
	if !isBody || body == nil {
		return in, false
	}
	files[f.Name] = file
	return inside{native: body}, true
}

func parseJSON(f File, d *diagnostics) (inside, bool) {
	root, diags := hcljson.ParseExpression(f.Bytes, f.Name)
	for _, diag := range diags {
		d.add(syntaxMistake(diag, f.Bytes))
	}
	if diags.HasErrors() {
		return inside{}, false
	}
	if form, _ := formOf(root); form != formObject {
		d.error(RuleSyntax, root.StartRange(), "JSON object expected", "A configuration file in JSON syntax is one object: { ... }.")
		return inside{}, false
	}
	return inside{json: root}, true
}

// unreadable says why a file cannot be parsed at all.
func unreadable(f File) *hcl.Diagnostic {
	switch bad := firstNonText(f.Bytes); {
	case len(f.Bytes) == 0:
		return Error(RuleFile, start(f.Name), "Empty file",
			"A file without a single byte is most likely a save that is not complete. Write something, be it a comment, or remove the file.")
	case bytes.HasPrefix(f.Bytes, []byte("\xef\xbb\xbf")):
		return Error(RuleFile, start(f.Name), "File starts with a byte order mark",
			"Save the file as UTF-8 without a byte order mark (BOM).")
	case bad >= 0:
		return Error(RuleFile, at(f, bad), "File is no text",
			"A configuration file is UTF-8 text; here is a byte that is not. Save the file as UTF-8, or give a file of another kind a name that does not end with .hcl or .hcl.json.")
	}
	return nestedTooDeep(f)
}

// firstNonText is the position of the first byte that is NUL or not UTF-8, or -1.
func firstNonText(text []byte) int {
	if utf8.Valid(text) {
		return bytes.IndexByte(text, 0)
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// at is the range of one byte of a file.
func at(f File, offset int) hcl.Range {
	line := 1 + bytes.Count(f.Bytes[:offset], []byte("\n"))
	column := 1 + utf8.RuneCount(f.Bytes[bytes.LastIndexByte(f.Bytes[:offset], '\n')+1:offset])
	pos := hcl.Pos{Line: line, Column: column, Byte: offset}
	end := hcl.Pos{Line: line, Column: column + 1, Byte: offset + 1}
	return hcl.Range{Filename: f.Name, Start: pos, End: end}
}

// take sorts a file's top-level blocks. Those that hold a syntax error are marked: what is missing in them may only
// have been skipped.
func (l *loader) take(in inside, top *shape, bad hcl.Diagnostics) {
	for _, e := range in.split(top, &l.diags).elements {
		switch e.typ {
		case localsBlock:
			l.takeLocals(e)
		case dynamicBlock:
			l.diags.error(RuleDynamic, e.defRange, "Dynamic block at the top level",
				"The names of "+enumerate(l.in.Kinds)+" blocks must stand in the text: write each block out. Inside a block, dynamic works.")
		case variableBlock:
			l.declared = append(l.declared, &declaration{element: e, broken: holds(e, bad)})
		default:
			l.all = append(l.all, &Block{
				Kind: e.typ, Name: e.labels[0].text, NameRange: e.labels[0].rng, DefRange: e.defRange,
				in: e.in, broken: holds(e, bad),
			})
		}
	}
}

// holds tells whether one of the mistakes stands inside a block.
func holds(e element, bad hcl.Diagnostics) bool {
	if len(bad) == 0 || e.in.native == nil {
		return false
	}
	whole := hcl.RangeBetween(e.defRange, e.in.native.EndRange)
	for _, diag := range bad {
		if diag.Subject != nil && diag.Subject.Start.Byte >= whole.Start.Byte && diag.Subject.Start.Byte <= whole.End.Byte {
			return true
		}
	}
	return false
}

// place is how a message names another place.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// enumerate joins names as a sentence does.
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
