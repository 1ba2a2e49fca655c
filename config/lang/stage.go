package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/weirproxy/weir/config/function"
)

var hclStart = hcl.InitialPos

// givenValues are the variables of a Workspace, with what their declarations and the values from outside say.
type givenValues struct {
	values   map[string]cty.Value
	reads    []string // files of --var-file, and what defaults read
	warnings hcl.Diagnostics
	files    map[string]*hcl.File
	learned  []string // sensitive texts
	hides    bool     // a part of a text, which stands at a position
	effort   function.Effort
}

// runVariables finds the values of all variables again where one of their inputs is another. They are few.
func (e *Edit) runVariables() bool {
	was := e.w.given
	if was != nil && !e.variablesConcerned(was) {
		return true
	}
	now := &givenValues{files: map[string]*hcl.File{}}
	l := newLoader(e.w.in.noting(func(path string) { now.reads = append(now.reads, path) }))
	for _, f := range e.texts {
		l.m.files[f.Name] = &hcl.File{Bytes: f.Bytes}
	}
	if !e.declareAll(l) {
		return false
	}
	l.variables()
	if l.diags.errors > 0 {
		return false
	}
	now.values = l.m.scope.ctx.Variables[varRoot].AsValueMap()
	now.warnings, now.effort, now.hides = l.m.finish(&l.diags), l.m.meter.Effort(), len(l.m.hiding) > 0
	for text := range l.m.mask.texts {
		now.learned = append(now.learned, text)
	}
	for name, file := range l.m.files {
		if at := e.text(name); at == nil || l.m.hiding[name] {
			now.files[name] = file
		}
	}
	Set(e.Journal, &e.w.given, now)
	if !e.valuesChanged(was, now) {
		return true
	}
	Put(e.Journal, e.w.names, varRoot, l.m.names[varRoot])
	e.roots(varRoot, now.values)
	return true
}

// valuesChanged notes the variables whose value is another.
func (e *Edit) valuesChanged(was, now *givenValues) bool {
	if was == nil {
		return true
	}
	before := len(e.values)
	for name, v := range now.values {
		if old, had := was.values[name]; !had || !old.RawEquals(v) {
			e.values[Ref{varRoot, name}] = true
		}
	}
	for name := range was.values {
		if _, has := now.values[name]; !has {
			ref := Ref{varRoot, name}
			e.values[ref], e.lost = true, append(e.lost, ref)
		}
	}
	return len(e.values) > before
}

// text is the text of one of the configuration's files, or nil.
func (e *Edit) text(name string) []byte {
	at, found := slices.BinarySearchFunc(e.texts, name, func(f File, name string) int {
		switch {
		case f.Name < name:
			return -1
		case f.Name > name:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return e.texts[at].Bytes
}

func (e *Edit) variablesConcerned(was *givenValues) bool {
	for _, path := range e.changed {
		if slices.Contains(was.reads, path) {
			return true
		}
	}
	for _, list := range [][]*piece{e.removed, e.added} {
		for _, p := range list {
			if p.variables {
				return true
			}
		}
	}
	return was.hides && len(e.plans)+len(e.moves) > 0
}

// declareAll parses all variable blocks, at their places.
func (e *Edit) declareAll(l *loader) bool {
	moves := map[*piece]span{}
	for _, m := range e.moves {
		moves[m.piece] = m.span
	}
	plans := map[*sourceFile]*plan{}
	for _, p := range e.plans {
		plans[p.file] = p
	}
	for _, file := range e.files {
		pieces, plan := file.pieces, plans[file]
		if plan != nil {
			pieces = plan.pieces
		}
		for i, p := range pieces {
			if !p.variables {
				continue
			}
			at := p.span
			if moved, is := moves[p]; is {
				at = moved
			} else if plan != nil && i >= plan.from {
				at.start, at.line = at.start+plan.bytes, at.line+plan.lines
			}
			list, ok := e.w.elements(p, file.name, hcl.Pos{Line: at.line, Column: 1, Byte: at.start})
			if !ok {
				return false
			}
			for _, el := range list {
				if el.typ == variableBlock {
					l.declared = append(l.declared, &declaration{element: el})
				}
			}
		}
	}
	return true
}

// takeDefinitions takes what a locals block defines.
func (e *Edit) takeDefinitions(p *piece, el element, were map[string]*local) bool {
	l := loader{}
	l.takeLocals(el)
	if len(l.diags.list) > 0 {
		return false
	}
	for _, def := range l.localDefs {
		_, again := were[def.name]
		if !again && e.w.locals[def.name] != nil || !validLocal(def) {
			return false
		}
		delete(were, def.name)
		one := &local{name: def.name, piece: p}
		one.node.local = one
		p.locals = append(p.locals, one)
		Put(e.Journal, e.w.locals, def.name, one)
		Put(e.Journal, e.w.names[localRoot], def.name, true)
		e.defs[one] = def
	}
	return true
}

// runLocals evaluates the locals that are new or depend on what is another, each after those that it reads.
func (e *Edit) runLocals() bool {
	r := localRun{e: e, dirty: map[*local]bool{}, concerned: map[*local]bool{}, state: map[*local]int{}}
	changed := len(e.defs) > 0
	for l := range e.defs {
		r.dirty[l] = true
	}
	mark := func(nodes map[*node]struct{}) {
		for n := range nodes {
			if n.local != nil {
				r.dirty[n.local] = true
			}
		}
	}
	for ref := range e.values {
		mark(e.w.readers[ref])
		changed = changed || ref.Kind == localRoot
	}
	for kind := range e.kinds {
		mark(e.w.whole[kind])
	}
	for _, path := range e.changed {
		mark(e.w.read[path])
	}
	for l := range r.dirty {
		r.concern(l)
	}
	for l := range r.concerned {
		if !r.visit(l) {
			return false
		}
	}
	if changed || r.changed {
		e.roots(localRoot, e.w.localValues)
	}
	return true
}

// localRun evaluates locals in the order of their dependence.
type localRun struct {
	e         *Edit
	dirty     map[*local]bool // are evaluated
	concerned map[*local]bool // may have to be
	state     map[*local]int  // 1: being visited, 2: done
	changed   bool
}

// concern adds whatever reads a local, directly or not.
func (r *localRun) concern(l *local) {
	for todo := []*local{l}; len(todo) > 0; {
		l, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if r.concerned[l] {
			continue
		}
		r.concerned[l] = true
		for n := range r.e.w.readers[Ref{localRoot, l.name}] {
			if n.local != nil {
				todo = append(todo, n.local)
			}
		}
	}
}

// visit evaluates a local after those that it reads, where one of them has another value. It is false where locals
// read each other in a circle, or one has a mistake.
func (r *localRun) visit(l *local) bool {
	switch r.state[l] {
	case 1:
		return false
	case 2:
		return true
	}
	r.state[l] = 1
	w, v := r.e.w, r.e.w.evaluators[0]
	def, fresh := r.e.defs[l]
	reads := l.names
	if fresh {
		v.again()
		if !checkLocal(v.Module, def) {
			return false
		}
		reads = v.Module.notes.names
	}
	evaluate := r.dirty[l]
	for _, ref := range slices.Clone(reads) {
		read := w.locals[ref.Name]
		if ref.Kind != localRoot || read == nil {
			continue
		}
		if (r.concerned[read] || read == l) && !r.visit(read) {
			return false
		}
		evaluate = evaluate || r.e.values[ref]
	}
	r.state[l] = 2
	return !evaluate || r.evaluate(l)
}

func (r *localRun) evaluate(l *local) bool {
	e, v := r.e, r.e.w.evaluators[0]
	def := e.defs[l]
	if def == nil && !e.parseAgain(l.piece) {
		return false
	}
	def = e.defs[l]
	v.again()
	if def == nil || !checkLocal(v.Module, def) {
		return false
	}
	def.reads = nil
	for _, ref := range v.Module.notes.names {
		if ref.Kind == localRoot {
			def.reads = append(def.reads, ref.Name)
		}
	}
	value, ok := v.value(def, e.w.localValues)
	if !ok {
		return false
	}
	e.detach(&l.node)
	e.attach(&l.node, v.Noted().node)
	if old, had := e.w.localValues[l.name]; had && old.RawEquals(value) {
		return true
	}
	r.changed, e.values[Ref{localRoot, l.name}] = true, true
	Put(e.Journal, e.w.localValues, l.name, value)
	return true
}

// parseAgain finds the expressions of the locals of a piece that did not change.
func (e *Edit) parseAgain(p *piece) bool {
	list, ok := e.w.elements(p, here, hclStart)
	if !ok {
		return false
	}
	l := loader{}
	for _, el := range list {
		if el.typ == localsBlock {
			l.takeLocals(el)
		}
	}
	for _, def := range l.localDefs {
		if one := e.w.locals[def.name]; one != nil && e.defs[one] == nil {
			e.defs[one] = def
		}
	}
	return true
}
