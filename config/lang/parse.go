package lang

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"github.com/weirproxy/weir/model"
)

// The blocks of the language itself.
const (
	localsBlock   = "locals"
	variableBlock = "variable"
	dynamicBlock  = "dynamic"
)

// byteOrderMark may start a native file, as HCL has it; in JSON it is no JSON.
var byteOrderMark = []byte("\xef\xbb\xbf")

// isJSON tells a file's syntax by its name.
func isJSON(name string) bool { return strings.HasSuffix(name, ".json") }

// parse reads all files and takes their top-level blocks.
func (l *loader) parse() {
	files := append([]File(nil), l.in.Files...)
	sort.SliceStable(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	top := topShape(l.in.Kinds)
	for _, f := range files {
		if err := unreadable(f); err != nil {
			l.m.files[f.Name] = &hcl.File{Bytes: f.Bytes}
			l.diags.add(err)
			l.rescue(f)
			continue
		}
		p, whole := parseFile(f, l.m.files, &l.diags)
		if !whole {
			l.rescue(f)
		}
		if p != nil {
			l.take(p, top)
		}
	}
}

// topShape is what a file may hold.
func topShape(kinds []string) *shape {
	top := &shape{blocks: map[string]int{localsBlock: 0, variableBlock: 1, dynamicBlock: 1}, where: "a configuration file", static: true}
	for _, kind := range kinds {
		top.blocks[kind] = 1
	}
	return top
}

// parseFile is one file as far as it parses, nil where nothing is left; whole is false after a mistake.
func parseFile(f File, files map[string]*hcl.File, d *diagnostics) (p *parsed, whole bool) {
	shown := &hcl.File{Bytes: f.Bytes}
	files[f.Name] = shown
	defer func() {
		if r := recover(); r != nil {
			d.error(RuleInternal, start(f.Name), "weir failed on this file", broke(r))
			p, whole = nil, false
		}
	}()
	if isJSON(f.Name) {
		p = parseJSON(f, d)
		return p, p != nil
	}
	p = parseNative(f, d)
	shown.Nav = p.nav
	return p, len(p.lost) == 0
}

// parseJSON takes a file as one unit: after the first mistake nothing in it is where it seems to be.
func parseJSON(f File, d *diagnostics) *parsed {
	root, diags := hcljson.ParseExpression(f.Bytes, f.Name)
	if first := firstSyntaxError(diags); first != nil {
		if first.Subject.End.Byte > len(f.Bytes) {
			last := at(f, len(f.Bytes)-1) // HCL points behind the end of what is cut off
			first.Subject, first.Context = &last, nil
		}
		d.add(syntaxMistake(first, nil))
		return nil
	}
	form, items := formOf(root)
	if form == formObject {
		return &parsed{in: inside{json: root}, torn: -1}
	}
	if form != formArray {
		items = []hcl.Expression{root}
	}
	for _, item := range items {
		if form, _ := formOf(item); form != formObject {
			d.error(RuleSyntax, item.StartRange(), "JSON object expected",
				"A configuration file in JSON syntax is one object, { ... }, or an array of such.")
			return nil
		}
	}
	return &parsed{in: inside{json: root}, torn: -1}
}

// unreadable says why a file cannot be parsed at all.
func unreadable(f File) *hcl.Diagnostic {
	switch bad := firstNonText(f.Bytes); {
	case len(f.Bytes) == 0:
		something := "Write something, be it a comment"
		if isJSON(f.Name) {
			something = `Write something, be it {"//": "a comment"}`
		}
		return Error(RuleFile, start(f.Name), "Empty file",
			"A file without a single byte is most likely a save that is not complete. "+something+", or remove the file.")
	case isJSON(f.Name) && bytes.HasPrefix(f.Bytes, byteOrderMark):
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

// take sorts a file's top-level blocks. Of those that hold a syntax error a part was left out. Those behind a tear are not taken at all.
func (l *loader) take(p *parsed, top *shape) {
	for _, e := range p.untorn().split(top, &l.diags).elements {
		switch e.typ {
		case localsBlock:
			l.takeLocals(e)
		case dynamicBlock:
			l.diags.error(RuleDynamic, e.defRange, "Dynamic block at the top level",
				"The names of "+enumerate(l.in.Kinds)+" blocks must stand in the text: write each block out. Inside a block, dynamic works.")
		case variableBlock:
			l.declared = append(l.declared, &declaration{element: e, partial: len(p.lostIn(e)) > 0})
		default:
			l.all = append(l.all, &Block{
				Kind: e.typ, Name: e.labels[0].text, NameRange: e.labels[0].rng, DefRange: e.defRange,
				anchor: model.NewBlock(e.defRange.Filename, e.defRange.Start.Line), in: e.in, lost: p.lostIn(e),
			})
		}
	}
}

// untorn is the file's inside without what stands behind a tear.
func (p *parsed) untorn() inside {
	if p.torn < 0 || p.in.native == nil {
		return p.in
	}
	kept := hclsyntax.Body{Attributes: hclsyntax.Attributes{}}
	for name, attr := range p.in.native.Attributes {
		if attr.SrcRange.End.Byte <= p.torn {
			kept.Attributes[name] = attr
		}
	}
	for _, block := range p.in.native.Blocks {
		if block.Range().End.Byte <= p.torn {
			kept.Blocks = append(kept.Blocks, block)
		}
	}
	return inside{native: &kept}
}

// lostIn are the spans inside a block that were left out.
func (p *parsed) lostIn(e element) []lost {
	var list []lost
	for _, l := range p.lost {
		if e.in.native != nil && l.at >= e.defRange.Start.Byte && l.at <= e.in.native.EndRange.End.Byte {
			list = append(list, l)
		}
	}
	return list
}

// enumerate joins names as a sentence does.
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
