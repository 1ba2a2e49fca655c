// Package lang is the mechanics of weir's configuration language: everything but the nouns.
//
// It promises that a load reports every mistake, each once, at the tightest range and in words that say what to
// do; that no input, however broken, stops the program; that a reference is a name of a block that stands in the
// text; and that no message shows a sensitive value. It knows no upstream: kinds of blocks, and schemas of what
// they hold, come from its caller. HCL's native and JSON syntax end in the same values.
//
// A Module is for one goroutine.
package lang

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyfunction "github.com/zclconf/go-cty/cty/function"

	"github.com/weirproxy/weir/config/function"
	"github.com/weirproxy/weir/model"
)

// File is one file of a configuration.
type File struct {
	Name  string // relative to the root, with slashes; ".hcl.json" at the end means JSON syntax
	Bytes []byte
}

// Variables are the places outside the files from which variables get their values.
type Variables struct {
	Flags   []string // NAME=VALUE of --var, in order: a later one wins
	Files   []string // of --var-file, in order: a later one wins; relative ones start at the working directory
	Environ []string // in the form of os.Environ: WEIR_VAR_NAME=VALUE
}

// Input is all that a load depends on.
type Input struct {
	Root      string // absolute; relative paths in the files start here
	Files     []File
	Kinds     []string // the top-level blocks with one label, their name
	Variables Variables
	ReadFile  func(absPath string) ([]byte, error) // every further read goes through it; nil: os.ReadFile

	// ReadDir is what fileset() reads directories with; nil: os.ReadDir.
	ReadDir func(absPath string) ([]fs.DirEntry, error)
	// Stat is what fileset() looks at links with; nil: os.Stat.
	Stat func(absPath string) (fs.FileInfo, error)

	// Display is how a message's words name a file, for callers that print names with a prefix; nil: as it is.
	Display func(file string) string
}

// Block is a top-level block of one of the caller's kinds.
type Block struct {
	Kind, Name string
	NameRange  hcl.Range
	DefRange   hcl.Range // type and label

	anchor *model.Block
	in     inside
	lost   []lost // text inside that was left out because of syntax errors
}

// Place is where the block stands.
func (b *Block) Place() model.Place { return b.anchor.Place(0, b.DefRange.Start.Column) }

// Module is a set of files whose names are known. It is never nil, also after errors.
type Module struct {
	root     string
	readFile func(string) ([]byte, error)
	kinds    []string
	display  func(string) string
	files    map[string]*hcl.File
	names    map[string]map[string]bool // of a kind: all names in the text, good and bad
	blocks   map[string][]*Block
	rejected map[string][]*Block
	mask     mask
	hiding   map[string]bool // files of which a part is hidden in snippets
	meter    function.Meter
	scope    *scope
	shapes   map[*Schema]*shape
	types    map[string]cty.Type // of references, by kind
	notes    *notes              // nil: nobody asks what a block depends on
	compared int                 // names that were compared for suggestions
	failed   bool                // Load reported errors: what is unknown was reported
}

// Load parses the files and evaluates variables and locals. The diagnostics are all mistakes but those inside the
// blocks of the caller's kinds, which Decode reports.
func Load(in Input) (m *Module, diags hcl.Diagnostics) {
	l := newLoader(in)
	defer func() {
		if p := recover(); p != nil {
			l.diags.error(RuleInternal, l.anywhere(), "weir failed on this configuration", broke(p))
		}
		m, diags = l.m, l.m.finish(&l.diags)
	}()
	l.parse()
	l.textLost = l.diags.errors > 0
	l.index()
	l.variables()
	l.references()
	l.locals()
	return
}

// broke says that the program, not the user, is wrong.
func broke(p any) string {
	return fmt.Sprintf("This is a mistake in weir, not in the file; please report it with the text below.\n%v\n%s", p, debug.Stack())
}

// finish sorts and masks what is reported.
func (m *Module) finish(d *diagnostics) hcl.Diagnostics {
	for _, diag := range d.list {
		diag.Summary, diag.Detail = m.Mask(diag.Summary), m.Mask(diag.Detail)
	}
	if d.errors > 0 {
		m.failed = true
	}
	return d.sorted()
}

// Blocks are the blocks of a kind that parse and have a valid name of their own, sorted by name. Those with a
// syntax error, or with a bad or a repeated name, were reported and stand in Rejected. Has knows all of them, and
// also names in files that do not parse at all.
func (m *Module) Blocks(kind string) []*Block { return m.blocks[kind] }

// Rejected are the blocks of a kind that were reported already: worth decoding for the further mistakes inside, not
// for their values.
func (m *Module) Rejected(kind string) []*Block { return m.rejected[kind] }

// Has tells that the name stands in the text, even if its block is bad. Whatever refers to a name that Has knows
// and Blocks does not is not to be reported again.
func (m *Module) Has(kind, name string) bool { return m.names[kind][name] }

// Names are all names of a kind that stand in the text, sorted, for suggestions.
func (m *Module) Names(kind string) []string {
	names := make([]string, 0, len(m.names[kind]))
	for name := range m.names[kind] {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Files are the texts that diagnostics point into, for snippets: the configuration's, and beside them those that give
// variables their values, under the names "--var NAME" and "WEIR_VAR_NAME" and the paths of --var-file as they were
// given. Show no snippet without Mask.
func (m *Module) Files() map[string]*hcl.File { return m.files }

// Mask replaces every sensitive value in s.
func (m *Module) Mask(s string) string { return m.mask.apply(s) }

// ReadFile reads what a *_file attribute names: relative to the root, or absolute. A file that is watched has one path,
// however it is spelled.
func (m *Module) ReadFile(path string) (abs string, data []byte, err error) {
	abs = filepath.Clean(path)
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(m.root, filepath.FromSlash(path))
	}
	data, err = m.readFile(abs)
	return abs, data, err
}

// loader is the state of one Load.
type loader struct {
	m         *Module
	in        Input
	diags     diagnostics
	all       []*Block           // of the caller's kinds, in the order of the files
	declared  []*declaration     // variable blocks
	localDefs []*localDefinition // attributes of locals blocks
	byName    map[string]*declaration

	textLost   bool // text of the configuration was left out: variables may stand in it
	valuesLost bool // a file of --var-file does not parse: variables may have values in it

	forDefaults map[string]ctyfunction.Function
}

func newLoader(in Input) *loader {
	m := &Module{
		root: in.Root, readFile: in.ReadFile, kinds: in.Kinds, display: in.Display,
		files:    map[string]*hcl.File{},
		names:    map[string]map[string]bool{},
		blocks:   map[string][]*Block{},
		rejected: map[string][]*Block{},
		shapes:   map[*Schema]*shape{},
		types:    map[string]cty.Type{},
	}
	for _, kind := range in.Kinds {
		m.types[kind] = referenceType(kind)
	}
	if m.readFile == nil {
		m.readFile = os.ReadFile
	}
	for _, root := range append([]string{localRoot, varRoot}, in.Kinds...) {
		m.names[root] = map[string]bool{}
	}
	return &loader{m: m, in: in, byName: map[string]*declaration{}, diags: diagnostics{display: in.Display}}
}

// anywhere is a place to show where there is no better one.
func (l *loader) anywhere() hcl.Range {
	if len(l.in.Files) == 0 {
		return hcl.Range{}
	}
	return start(l.in.Files[0].Name)
}

// start is the first position of a file.
func start(file string) hcl.Range {
	return hcl.Range{Filename: file, Start: hcl.InitialPos, End: hcl.InitialPos}
}
