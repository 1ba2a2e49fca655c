package lang

import (
	"io/fs"
	"os"
	"sync"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// needs are what the result of a block or a local depends on, beside its text.
type needs struct {
	names []Ref    // that stand there literally: of blocks, which must exist, of locals and variables, whose values count
	kinds []string // of which all names count, since one is computed or all are iterated
	reads []string // absolute paths that were read
}

// notes collect needs while expressions are checked and evaluated. Nil ones collect nothing.
type notes struct {
	needs
	seen map[Ref]bool // a path has no kind
	all  *references
}

func newNotes(all *references) *notes { return &notes{seen: map[Ref]bool{}, all: all} }

// again starts another collection.
func (n *notes) again() {
	n.needs = needs{}
	clear(n.seen)
}

func (n *notes) name(root, name string) {
	if n == nil || n.seen[Ref{root, name}] {
		return
	}
	n.seen[Ref{root, name}] = true
	n.names = append(n.names, Ref{root, name})
}

func (n *notes) kind(root string) {
	if n == nil || n.seen[Ref{root, ""}] {
		return
	}
	n.seen[Ref{root, ""}] = true
	n.kinds = append(n.kinds, root)
}

func (n *notes) read(path string) {
	if n.seen[Ref{"", path}] {
		return
	}
	n.seen[Ref{"", path}] = true
	n.reads = append(n.reads, path)
}

// noting is the input with whatever is read told to note.
func (in Input) noting(note func(path string)) Input {
	file, directory, stat := in.ReadFile, in.ReadDir, in.Stat
	if file == nil {
		file = os.ReadFile
	}
	if directory == nil {
		directory = os.ReadDir
	}
	if stat == nil {
		stat = os.Stat
	}
	in.ReadFile = func(path string) ([]byte, error) {
		note(path)
		return file(path)
	}
	in.ReadDir = func(path string) ([]fs.DirEntry, error) {
		note(path)
		return directory(path)
	}
	in.Stat = func(path string) (fs.FileInfo, error) {
		note(path)
		return stat(path)
	}
	return in
}

// roots puts the references that an expression needs into the context of all expressions.
func (n *notes) roots(m *Module, expr hclsyntax.Expression) {
	if n == nil || isLiteral(expr) {
		return
	}
	for _, t := range expr.Variables() {
		kind := t.RootName()
		if _, is := m.types[kind]; !is {
			continue
		}
		if _, there := m.scope.ctx.Variables[kind]; !there {
			m.scope.ctx.Variables[kind] = n.all.of(m, kind)
		}
	}
}

// references are the roots of the caller's kinds, made when an expression needs them.
type references struct {
	lock   sync.Mutex
	values map[string]cty.Value
}

func (r *references) of(m *Module, kind string) cty.Value {
	r.lock.Lock()
	defer r.lock.Unlock()
	v, ok := r.values[kind]
	if !ok {
		v = referenceMap(m.types[kind], kind, m.names[kind])
		r.values[kind] = v
	}
	return v
}

// forget makes the next use of a kind see its names anew.
func (r *references) forget(kind string) { delete(r.values, kind) }
