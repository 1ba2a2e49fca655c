package lang

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/zclconf/go-cty/cty"

	"github.com/weirproxy/weir/model"
)

// Edit is what new texts make of a Workspace, until Commit or Rollback.
type Edit struct {
	Journal *Journal // what Rollback takes back; nil where the Workspace was empty, which is then to be thrown away

	w       *Workspace
	texts   []File
	changed []string // paths whose content is another
	files   []*sourceFile
	plans   []*plan
	removed []*piece
	added   []*piece
	moves   []move
	parsed  []*piece // hold syntax trees until the end

	gone   []Ref                       // blocks that are no more
	kinds  map[string]bool             // of which a name came or went
	values map[Ref]bool                // locals and variables whose value is another
	lost   []Ref                       // names that nothing may refer to any more
	stale  map[*Unit]bool              // to be evaluated
	byKind map[string][]*Unit          // the same, sorted by name
	defs   map[*local]*localDefinition // new ones, and those that are evaluated again
}

// Edit finds out which blocks new texts change, and evaluates variables and locals as far as they do. Changed are the
// paths, of those that Reads has, that hold something else than when they were read. It returns nil where anything is
// wrong or unusual; then the Workspace is as it was.
func (w *Workspace) Edit(texts []File, changed []string) *Edit {
	e := &Edit{
		w: w, texts: texts, changed: changed, kinds: map[string]bool{}, values: map[Ref]bool{}, stale: map[*Unit]bool{},
		defs: map[*local]*localDefinition{},
	}
	if len(w.files) > 0 {
		e.Journal = &Journal{}
	}
	if !e.run() {
		e.Rollback()
		return nil
	}
	return e
}

func (e *Edit) run() bool {
	if !e.compare() || !e.takePieces() {
		return false
	}
	for kind := range e.kinds {
		e.w.references.forget(kind)
	}
	if !e.runVariables() {
		return false
	}
	e.prepare()
	if !e.runLocals() {
		return false
	}
	e.prepare()
	e.findStale()
	return true
}

func (e *Edit) prepare() {
	for _, v := range e.w.evaluators {
		v.prepare()
	}
}

// takePieces gives the blocks their names.
func (e *Edit) takePieces() bool {
	pending := map[Ref]*Unit{}
	were := map[string]*local{}
	for _, p := range e.removed {
		for _, u := range p.units {
			pending[Ref{u.Kind, u.Name}] = u
			e.detach(&u.node)
		}
		for _, l := range p.locals {
			were[l.name] = l
			e.detach(&l.node)
		}
	}
	for _, p := range e.added {
		if !e.takePiece(p, pending, were) {
			return false
		}
	}
	for ref := range pending {
		Remove(e.Journal, e.w.units, ref)
		Remove(e.Journal, e.w.names[ref.Kind], ref.Name)
		e.kinds[ref.Kind] = true
		e.gone, e.lost = append(e.gone, ref), append(e.lost, ref)
	}
	for name := range were {
		Remove(e.Journal, e.w.locals, name)
		Remove(e.Journal, e.w.localValues, name)
		Remove(e.Journal, e.w.names[localRoot], name)
		ref := Ref{localRoot, name}
		e.lost, e.values[ref] = append(e.lost, ref), true
	}
	return true
}

func (e *Edit) takePiece(p *piece, pending map[Ref]*Unit, were map[string]*local) bool {
	if !p.isJSON() {
		h, ok := headingOf(p.fresh)
		if _, kind := e.w.types[h.typ]; ok && kind && h.labels == 1 {
			return e.takeUnit(p, h.typ, h.label, 0, pending)
		}
	}
	list, ok := e.w.elements(p, here, hclStart)
	if !ok {
		return false
	}
	p.parsed = make(map[Ref]element, len(list))
	e.parsed = append(e.parsed, p)
	for _, el := range list {
		switch el.typ {
		case localsBlock:
			if !e.takeDefinitions(p, el, were) {
				return false
			}
		case variableBlock:
			p.variables = true
		case dynamicBlock:
			return false
		default:
			ref := Ref{el.typ, el.labels[0].text}
			p.parsed[ref] = el
			if !e.takeUnit(p, ref.Kind, ref.Name, el.defRange.Start.Line-1, pending) {
				return false
			}
		}
	}
	return true
}

func (e *Edit) takeUnit(p *piece, kind, name string, below int, pending map[Ref]*Unit) bool {
	ref := Ref{kind, name}
	u := &Unit{Kind: kind, Name: name, piece: p, below: below}
	u.unit = u
	before, again := pending[ref]
	switch {
	case !ValidName(name):
		return false
	case again:
		delete(pending, ref)
		u.anchor = before.anchor
	case e.w.units[ref] != nil:
		return false
	default:
		u.anchor = model.NewBlock(p.file.name, p.line+below)
		e.kinds[kind] = true
		Put(e.Journal, e.w.names[kind], name, true)
	}
	p.units = append(p.units, u)
	Put(e.Journal, e.w.units, ref, u)
	e.stale[u] = true
	return true
}

// findStale collects the blocks that are new, or depend on what is another.
func (e *Edit) findStale() {
	mark := func(nodes map[*node]struct{}) {
		for n := range nodes {
			if n.unit != nil {
				e.stale[n.unit] = true
			}
		}
	}
	for ref := range e.values {
		mark(e.w.readers[ref])
	}
	for kind := range e.kinds {
		mark(e.w.whole[kind])
	}
	for _, path := range e.changed {
		mark(e.w.read[path])
	}
	e.byKind = map[string][]*Unit{}
	for u := range e.stale {
		e.byKind[u.Kind] = append(e.byKind[u.Kind], u)
	}
	for _, units := range e.byKind {
		slices.SortFunc(units, func(a, b *Unit) int { return strings.Compare(a.Name, b.Name) })
	}
}

// Stale are the blocks of a kind that are to be evaluated, by name.
func (e *Edit) Stale(kind string) []*Unit { return e.byKind[kind] }

// Gone are the blocks that are no more.
func (e *Edit) Gone() []Ref { return e.gone }

// Unit is the block of a name, or nil.
func (e *Edit) Unit(kind, name string) *Unit { return e.w.units[Ref{kind, name}] }

// Each visits units on several goroutines, and tells whether all visits did.
func (e *Edit) Each(units []*Unit, visit func(v *Evaluator, i int) bool) bool {
	e.parseJSON(units)
	workers := min(len(e.w.evaluators), 1+len(units)/minimumShare)
	var next, failed atomic.Int64
	var broken atomic.Pointer[any]
	work := func(v *Evaluator) {
		defer func() {
			if p := recover(); p != nil {
				failed.Store(1)
				broken.Store(&p)
			}
		}()
		for failed.Load() == 0 {
			i := int(next.Add(1)) - 1
			if i >= len(units) {
				return
			}
			if !visit(v, i) {
				failed.Store(1)
			}
		}
	}
	var wait sync.WaitGroup
	for _, v := range e.w.evaluators[1:workers] {
		wait.Go(func() { work(v) })
	}
	work(e.w.evaluators[0])
	wait.Wait()
	if p := broken.Load(); p != nil {
		panic(*p)
	}
	return failed.Load() == 0
}

// Module answers what rules ask of the names of the new texts.
func (e *Edit) Module() *Module { return e.w.evaluators[0].Module }

// minimumShare is how many blocks are worth another goroutine.
const minimumShare = 8

// parseJSON parses the files of blocks that are evaluated again, once for all of them.
func (e *Edit) parseJSON(units []*Unit) {
	for _, u := range units {
		p := u.piece
		if p.parsed != nil || !p.isJSON() {
			continue
		}
		list, ok := e.w.elements(p, here, hclStart)
		if !ok {
			continue
		}
		p.parsed = make(map[Ref]element, len(list))
		e.parsed = append(e.parsed, p)
		for _, el := range list {
			if len(el.labels) > 0 {
				p.parsed[Ref{el.typ, el.labels[0].text}] = el
			}
		}
	}
}

// Keep is told what the result of a block depends on. It is called by one goroutine.
func (e *Edit) Keep(u *Unit, n Noted) {
	e.detach(&u.node)
	e.attach(&u.node, n.node)
}

// Good tells whether what is left of the old still holds: nothing refers to a name that is no more, and all together
// takes no more than a load may.
func (e *Edit) Good() bool {
	for _, ref := range e.lost {
		if e.w.users[ref] > 0 || len(e.w.readers[ref]) > 0 {
			return false
		}
	}
	effort := e.w.effort
	if e.w.given != nil {
		effort = effort.Add(e.w.given.effort)
	}
	return effort.Fits()
}

// Commit makes the new texts the ones that the Workspace has.
func (e *Edit) Commit() {
	e.release()
	for _, p := range e.plans {
		p.file.text, p.file.pieces = p.text, p.pieces
		if p.bytes == 0 && p.lines == 0 {
			continue
		}
		for _, piece := range p.pieces[p.from:] {
			piece.start, piece.end, piece.line = piece.start+p.bytes, piece.end+p.bytes, piece.line+p.lines
			if p.lines != 0 {
				piece.place()
			}
		}
	}
	for _, m := range e.moves {
		m.piece.file, m.piece.span = m.file, m.span
		m.piece.place()
	}
	for _, p := range e.added {
		p.fresh = nil
		p.place()
	}
	e.w.files = e.files
}

// place tells the nouns made of a piece where it stands.
func (p *piece) place() {
	for _, u := range p.units {
		u.anchor.Move(p.file.name, p.line+u.below)
	}
}

// Rollback makes the Workspace what it was.
func (e *Edit) Rollback() {
	e.release()
	for kind := range e.kinds {
		e.w.references.forget(kind)
	}
	if e.Journal != nil {
		e.Journal.Undo()
	}
}

func (e *Edit) release() {
	for _, p := range e.parsed {
		p.parsed = nil
	}
}

// roots makes the values of a root what expressions see.
func (e *Edit) roots(root string, values map[string]cty.Value) {
	Put(e.Journal, e.w.roots, root, cty.ObjectVal(values))
}
