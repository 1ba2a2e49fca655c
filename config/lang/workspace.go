package lang

import (
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/weirproxy/weir/config/function"
	"github.com/weirproxy/weir/model"
)

// Workspace keeps of a good load what the next one needs to evaluate only what an edit changed: where the blocks stand
// and what their results depend on, the values of locals and variables, and no syntax trees.
//
// It only accepts. Where anything is wrong, or a text does not come apart into blocks as people write them, an Edit
// ends without an effect, and whoever asks loads everything from scratch to learn what is wrong.
//
// A Workspace is for one goroutine; an Edit spreads its work over several by itself.
type Workspace struct {
	in    Input // without files
	top   *shape
	files []*sourceFile // sorted by name
	names map[string]map[string]bool
	units map[Ref]*Unit
	types map[string]cty.Type

	locals      map[string]*local
	localValues map[string]cty.Value
	given       *givenValues
	roots       map[string]cty.Value // local and var as expressions see them
	references  *references

	users   map[Ref]int                   // nodes that name a block literally
	readers map[Ref]map[*node]struct{}    // nodes that read a local or a variable
	whole   map[string]map[*node]struct{} // nodes that look at all names of a kind
	read    map[string]map[*node]struct{} // nodes that read a file, by path
	learned map[string]int                // sensitive texts, by how many nodes know them
	effort  function.Effort

	evaluators []*Evaluator
}

// sourceFile is one file of the configuration.
type sourceFile struct {
	name   string
	text   []byte
	pieces []*piece // in the order of the text
}

// piece is what is parsed at once: a top-level block of a native file, or a whole JSON file.
type piece struct {
	file *sourceFile
	span
	fresh     []byte // the text, until the file has it
	units     []*Unit
	locals    []*local
	variables bool

	parsed map[Ref]element // of JSON, while the Edit goes on
}

// Unit is a top-level block of one of the caller's kinds.
type Unit struct {
	Kind, Name string

	node
	anchor *model.Block
	piece  *piece
	below  int // lines of the piece above the block
}

// local is the definition of a local.
type local struct {
	node
	name  string
	piece *piece
}

// node is something whose result depends on more than its text.
type node struct {
	needs
	unit    *Unit // one of the two
	local   *local
	learned []string
	effort  function.Effort
}

// here is what ranges in a piece are said to be of: their lines and bytes count from where the piece starts. Nobody sees
// it: positions are resolved where they are printed.
const here = "\x00"

// NewWorkspace returns one without a block. Of the input everything but the files counts, and stays the same.
func NewWorkspace(in Input) *Workspace {
	in.Files = nil
	w := &Workspace{
		in: in, top: topShape(in.Kinds),
		names: map[string]map[string]bool{localRoot: {}, varRoot: {}}, units: map[Ref]*Unit{}, types: map[string]cty.Type{},
		locals: map[string]*local{}, localValues: map[string]cty.Value{}, references: &references{values: map[string]cty.Value{}},
		users: map[Ref]int{}, readers: map[Ref]map[*node]struct{}{}, whole: map[string]map[*node]struct{}{},
		read: map[string]map[*node]struct{}{}, learned: map[string]int{},
	}
	for _, kind := range in.Kinds {
		w.names[kind], w.types[kind] = map[string]bool{}, referenceType(kind)
	}
	w.roots = map[string]cty.Value{localRoot: cty.EmptyObjectVal, varRoot: cty.EmptyObjectVal}
	for range max(1, min(runtime.GOMAXPROCS(0), maxEvaluators)) {
		w.evaluators = append(w.evaluators, newEvaluator(w))
	}
	return w
}

// maxEvaluators is beyond what evaluation in parallel gains.
const maxEvaluators = 8

// Has tells that the name stands in the text.
func (w *Workspace) Has(kind, name string) bool { return w.names[kind][name] }

// Count is the number of names of a kind.
func (w *Workspace) Count(kind string) int { return len(w.names[kind]) }

// Reads are the absolute paths that results depend on, sorted.
func (w *Workspace) Reads() []string {
	paths := make([]string, 0, len(w.read))
	for path := range w.read {
		paths = append(paths, path)
	}
	if w.given != nil {
		paths = append(paths, w.given.reads...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Warnings are those about the values of variables.
func (w *Workspace) Warnings() hcl.Diagnostics {
	if w.given == nil {
		return nil
	}
	return w.given.warnings
}

// Given are the texts beside the configuration's that diagnostics point into, and those of the configuration's that are
// not to be shown as they are.
func (w *Workspace) Given() map[string]*hcl.File {
	if w.given == nil {
		return nil
	}
	return w.given.files
}

// Mask is what replaces every sensitive value in a text.
func (w *Workspace) Mask() func(string) string {
	if len(w.learned) == 0 && (w.given == nil || len(w.given.learned) == 0) {
		return func(s string) string { return s }
	}
	m := mask{texts: map[string]bool{}}
	for text := range w.learned {
		m.texts[text] = true
	}
	for _, text := range w.given.learned {
		m.texts[text] = true
	}
	return m.apply
}

// Resolve is a diagnostic of a block as it is told now: where the block stands now.
func (u *Unit) Resolve(d *hcl.Diagnostic) *hcl.Diagnostic {
	out := *d
	out.Subject, out.Context = u.piece.resolve(d.Subject), u.piece.resolve(d.Context)
	return &out
}

// NamesPlace tells that a diagnostic's words name a place in a block of a Workspace.
func NamesPlace(d *hcl.Diagnostic) bool {
	return strings.Contains(d.Summary, here) || strings.Contains(d.Detail, here)
}

func (p *piece) resolve(r *hcl.Range) *hcl.Range {
	if r == nil {
		return nil
	}
	out := hcl.Range{Filename: p.file.name, Start: r.Start, End: r.End}
	for _, pos := range []*hcl.Pos{&out.Start, &out.End} {
		pos.Line += p.line - 1
		pos.Byte += p.start
	}
	return &out
}

// isJSON tells that the piece is a file in JSON syntax.
func (p *piece) isJSON() bool { return isJSON(p.file.name) }

// text is what the piece says.
func (p *piece) text() []byte {
	switch {
	case p.fresh != nil:
		return p.fresh
	case p.isJSON():
		return p.file.text
	}
	return p.file.text[p.start:p.end]
}
