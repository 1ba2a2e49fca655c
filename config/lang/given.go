package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyfunction "github.com/zclconf/go-cty/cty/function"

	"github.com/weirproxy/weir/config/function"
)

// environPrefix starts the names of the environment's variables that give values.
const environPrefix = "WEIR_VAR_"

// The names under which values from the command line appear in messages.
const flagSource = "--var"

// given is a variable's value from outside the configuration.
type given struct {
	rng      hcl.Range
	text     string // of --var and the environment
	fromText bool
	expr     hclsyntax.Expression // of an HCL file
	value    cty.Value            // of a JSON file
	invalid  bool
}

// functions are those of every expression.
func (l *loader) functions() map[string]ctyfunction.Function {
	return function.Table(function.Options{Root: l.in.Root, ReadFile: l.m.readFile, ReadDir: l.in.ReadDir, Stat: l.in.Stat, Meter: &l.m.meter})
}

// defaultFunctions are those of a variable's default.
func (l *loader) defaultFunctions() map[string]ctyfunction.Function {
	if l.forDefaults == nil {
		l.forDefaults = map[string]ctyfunction.Function{envFunction: function.Env(l.in.Variables.Environ)}
		for name, f := range l.m.scope.ctx.Functions {
			l.forDefaults[name] = f
		}
	}
	return l.forDefaults
}

// given collects the values from outside, the strongest last.
func (l *loader) given() map[string]*given {
	values := map[string]*given{}
	for _, pair := range l.in.Variables.Environ {
		name, text, ok := strings.Cut(pair, "=")
		name, isVar := strings.CutPrefix(name, environPrefix)
		if ok && isVar && l.byName[name] != nil {
			values[name] = l.textGiven(name, environPrefix+name, text)
		}
	}
	for _, path := range l.in.Variables.Files {
		l.givenFile(path, values)
	}
	for _, flag := range l.in.Variables.Flags {
		l.givenFlag(flag, values)
	}
	return values
}

// textGiven is a value that is a text; messages show it as a file of its own.
func (l *loader) textGiven(name, source, text string) *given {
	f := File{Name: source, Bytes: []byte(text)}
	l.m.files[source] = &hcl.File{Bytes: f.Bytes}
	g := &given{rng: wholeOf(f), text: text, fromText: true}
	if l.guarded(name) {
		l.m.hide(g.rng)
	}
	return g
}

// wholeOf is the range of a whole text.
func wholeOf(f File) hcl.Range {
	end := at(f, len(f.Bytes))
	return hcl.Range{Filename: f.Name, Start: hcl.InitialPos, End: end.Start}
}

// givenFlag takes one NAME=VALUE of --var.
func (l *loader) givenFlag(flag string, values map[string]*given) {
	name, text, ok := strings.Cut(flag, "=")
	name = strings.TrimSpace(name)
	shown := File{Name: flagSource + " " + name, Bytes: []byte(name)}
	switch {
	case !ok || name == "":
		l.m.files[shown.Name] = &hcl.File{Bytes: shown.Bytes}
		l.diags.error(RuleVariable, wholeOf(shown), "A variable's value is written NAME=VALUE",
			"Write --var NAME=VALUE.")
	case !l.m.names[varRoot][name]:
		// The value is not shown: this may be a misspelt sensitive variable.
		l.m.files[shown.Name] = &hcl.File{Bytes: shown.Bytes}
		l.diags.error(RuleVariable, wholeOf(shown), missing(varRoot, name), l.m.missingDetail(varRoot, name, false))
	default:
		values[name] = l.textGiven(name, shown.Name, text)
	}
}

// reason is what the operating system said, without the path, which the caller names.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return fmt.Sprintf("%s: %v.", pathErr.Path, pathErr.Err)
	}
	return err.Error() + "."
}
