package lang

import (
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// givenFile takes the values of one --var-file.
func (l *loader) givenFile(path string, values map[string]*given) {
	abs, err := filepath.Abs(path)
	f := File{Name: filepath.ToSlash(path)}
	if err == nil {
		f.Bytes, err = l.m.readFile(abs)
	}
	if err != nil {
		l.valuesLost = true
		l.m.files[f.Name] = &hcl.File{}
		l.diags.error(RuleVariable, start(f.Name), "The file of --var-file cannot be read", reason(err))
		return
	}
	if _, taken := l.m.files[f.Name]; taken {
		f.Name = filepath.ToSlash(abs)
	}
	switch in := l.parseGiven(f); {
	case in == nil:
	case in.native != nil:
		l.givenNative(in.native, values)
	default:
		l.givenJSON(in.json, values)
	}
}

// parseGiven parses a file of values. What does not parse may be a sensitive value: then neither the text nor the
// words of the error, which quote it, are shown.
func (l *loader) parseGiven(f File) *inside {
	found := diagnostics{display: l.diags.display}
	var file *parsed
	if err := unreadable(f); err != nil {
		l.m.files[f.Name] = &hcl.File{Bytes: f.Bytes}
		found.add(err)
	} else {
		file, _ = parseFile(f, l.m.files, &found)
	}
	l.m.files[f.Name].Nav = nil // the names of blocks, of which there are none here
	if found.errors > 0 {
		l.valuesLost = true
	}
	if found.errors == 0 || !l.secretive() {
		l.diags.add(found.list...)
	} else {
		l.m.hide(wholeOf(f))
		for _, diag := range found.list {
			l.diags.error(RuleOf(diag), *diag.Subject, "The file of --var-file has a mistake here",
				"It is not a valid file of values. What is wrong is not shown, since the configuration has sensitive variables and the text may hold the value of one.")
		}
	}
	if file == nil {
		return nil
	}
	return &file.in
}

func (l *loader) givenNative(body *hclsyntax.Body, values map[string]*given) {
	for _, block := range body.Blocks {
		l.diags.error(RuleVariable, block.DefRange(), "A block in a file of values",
			"A file given with --var-file holds NAME = VALUE only. Blocks belong into the configuration.")
		if l.secretive() {
			l.m.hide(block.Range())
		}
	}
	for name, attr := range body.Attributes {
		if attr == nil {
			continue
		}
		if l.guarded(name) {
			l.m.hide(attr.Expr.Range())
		}
		literal, is := attr.Expr.(*hclsyntax.LiteralValueExpr)
		if l.isDeclared(name, attr.NameRange) && !(is && literal.Val.IsNull()) {
			values[name] = &given{rng: attr.Expr.Range(), expr: attr.Expr}
		}
	}
}

func (l *loader) givenJSON(object hcl.Expression, values map[string]*given) {
	for _, p := range properties(object) {
		if p.name == jsonComment {
			continue
		}
		if l.guarded(p.name) {
			l.m.hide(p.value.Range())
		}
		if v, _ := p.value.Value(nil); l.isDeclared(p.name, p.rng) && !v.IsNull() {
			values[p.name] = &given{rng: p.value.Range(), value: v}
		}
	}
}

// isDeclared warns about values for variables that do not exist: a file may be shared by several configurations.
func (l *loader) isDeclared(name string, at hcl.Range) bool {
	if l.m.names[varRoot][name] {
		return true
	}
	l.diags.add(Warning(RuleVariable, at, missing(varRoot, name), "The value is not used. "+l.m.missingDetail(varRoot, name, false)))
	return false
}

// secretive tells that a text whose variable is not known may be a sensitive value: there is a sensitive variable, or
// there may be one in text that was left out.
func (l *loader) secretive() bool {
	for _, v := range l.declared {
		if v.sensitive || v.invalid {
			return true
		}
	}
	return l.textLost
}

// guarded tells that a variable's value from outside is not to be shown. That of a variable that does not exist may be
// meant for another one.
func (l *loader) guarded(name string) bool {
	if v := l.byName[name]; v != nil && !v.invalid {
		return v.sensitive
	}
	return l.secretive()
}

// hide takes a range out of what snippets show, without moving anything, since ranges count bytes.
func (m *Module) hide(rng hcl.Range) {
	file := m.files[rng.Filename]
	if file == nil || rng.End.Byte > len(file.Bytes) {
		return
	}
	if !m.hiding[rng.Filename] { // the bytes are the caller's
		if m.hiding == nil {
			m.hiding = map[string]bool{}
		}
		m.hiding[rng.Filename] = true
		file.Bytes = append([]byte(nil), file.Bytes...)
	}
	text, word := file.Bytes, masked
	for i := rng.Start.Byte; i < rng.End.Byte; i++ {
		switch {
		case text[i] == '\n':
		case word != "":
			text[i], word = word[0], word[1:]
		default:
			text[i] = ' '
		}
	}
}

// hidden says that a sensitive variable's value is wrong, without the words that may quote it.
func (l *loader) hidden(v *declaration, at hcl.Range) (cty.Value, bool) {
	l.m.hide(at)
	l.diags.error(RuleVariable, at, "Value of sensitive variable \""+v.name()+"\" cannot be used",
		"It is no plain value: text stands in quotes, and no names may be used. The words of the error are not shown, since they may quote the value.")
	return cty.DynamicVal, false
}
