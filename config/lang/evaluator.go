package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Evaluator evaluates blocks one after the other, and notes what each result depends on. Its Module is the one that the
// caller's decoding of the block asks. It is for one goroutine.
type Evaluator struct {
	Module *Module

	w *Workspace
}

func newEvaluator(w *Workspace) *Evaluator {
	all := newNotes(w.references)
	l := newLoader(w.in.noting(all.read))
	m := l.m
	m.names, m.types, m.notes = w.names, w.types, all
	m.scope = &scope{ctx: &hcl.EvalContext{Functions: l.functions()}}
	return &Evaluator{Module: m, w: w}
}

// prepare makes the newest locals and variables the ones that expressions see.
func (v *Evaluator) prepare() {
	v.Module.scope.ctx.Variables = map[string]cty.Value{localRoot: v.w.roots[localRoot], varRoot: v.w.roots[varRoot]}
}

// again forgets the block before.
func (v *Evaluator) again() {
	m := v.Module
	m.notes.again()
	m.meter.Restart()
	m.mask, m.failed, m.compared = mask{}, false, 0
}

// Decode evaluates a block by its schema. It is not good where the least is wrong; the diagnostics are warnings, of the
// place that Unit.Resolve makes of them.
func (v *Evaluator) Decode(u *Unit, s *Schema) (block *Block, body *Body, warnings hcl.Diagnostics, good bool) {
	v.again()
	block, good = v.w.block(u)
	if !good {
		return nil, nil, nil, false
	}
	body, diags := v.Module.Decode(block, s)
	return block, body, diags, !diags.HasErrors()
}

// Noted is what the result of the block that was decoded last depends on.
func (v *Evaluator) Noted() Noted {
	m := v.Module
	n := node{needs: m.notes.needs, effort: m.meter.Effort()}
	for text := range m.mask.texts {
		n.learned = append(n.learned, text)
	}
	return Noted{n}
}

// Noted is kept with Edit.Keep.
type Noted struct{ node node }

// value evaluates a local that was checked.
func (v *Evaluator) value(def *localDefinition, values map[string]cty.Value) (cty.Value, bool) {
	m := v.Module
	ctx := m.scope.ctx
	if len(def.reads) > 0 {
		read := make(map[string]cty.Value, len(def.reads))
		for _, name := range def.reads {
			read[name] = values[name]
		}
		ctx = ctx.NewChild()
		ctx.Variables = map[string]cty.Value{localRoot: cty.ObjectVal(read)}
	}
	var d diagnostics
	out, ok := m.evaluate(def.expr, ctx, &d)
	if !ok || len(d.list) > 0 || m.meter.Keep(out) != nil {
		return cty.DynamicVal, false
	}
	if out.ContainsMarked() {
		m.mask.learn(onlyMarked(out))
	}
	return out, true
}
