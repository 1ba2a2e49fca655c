package lang

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// localDefinition is one NAME = VALUE of a locals block.
type localDefinition struct {
	setting
	json  bool
	reads []string // names of locals
	bad   bool

	// of the search for cycles
	number, low int
	onStack     bool
}

// takeLocals takes the attributes of a locals block: whatever stands there is a name.
func (l *loader) takeLocals(e element) {
	anything := &shape{blocks: map[string]int{}, where: "a locals block"}
	if e.in.native != nil {
		for name := range e.in.native.Attributes {
			anything.attributes = append(anything.attributes, name)
		}
	} else {
		for _, p := range properties(e.in.json) {
			anything.attributes = append(anything.attributes, p.name)
		}
	}
	for _, s := range e.in.split(anything, &l.diags).settings {
		l.localDefs = append(l.localDefs, &localDefinition{setting: s, json: e.in.native == nil})
	}
}

// locals evaluates all locals, each after those that it reads.
func (l *loader) locals() {
	names, byName := l.m.names[localRoot], map[string]*localDefinition{}
	for _, def := range l.localDefs {
		names[def.name] = true
	}
	for _, def := range l.localDefs {
		if first, again := byName[def.name]; again {
			l.diags.error(RuleName, def.nameRange, fmt.Sprintf("Two locals named %q", def.name),
				fmt.Sprintf("The first stands at %s. Names are unique: rename one of them, or remove it.", l.diags.place(first.nameRange)))
			continue
		}
		if !hclsyntax.ValidIdentifier(def.name) {
			l.diags.error(RuleName, def.nameRange, fmt.Sprintf("Invalid name of local %q", shorten(def.name)),
				"The name of a local starts with a letter, followed by letters, digits, _ and -.")
			def.bad = true
		}
		byName[def.name] = def
		l.readsOf(def)
	}
	values := make(map[string]cty.Value, len(names))
	for name := range names {
		values[name] = cty.DynamicVal
	}
	for _, def := range l.inOrder(byName) {
		values[def.name] = l.localValue(def, values)
	}
	l.m.scope.ctx.Variables[localRoot] = cty.ObjectVal(values)
}

// validLocal tells whether a local can have its name and has a value.
func validLocal(def *localDefinition) bool {
	return hclsyntax.ValidIdentifier(def.name) && def.expr != nil
}

// checkLocal tells whether nothing is wrong with a local's expression.
func checkLocal(m *Module, def *localDefinition) bool {
	var d diagnostics
	return m.check(def.expr, position{attribute: def.name, text: true, json: def.json}, &d) && len(d.list) == 0
}

// readsOf checks a local's expression and notes which locals it reads.
func (l *loader) readsOf(def *localDefinition) {
	if def.expr == nil {
		def.bad = true
		return
	}
	if !l.m.check(def.expr, position{attribute: def.name, text: true, json: def.json}, &l.diags) {
		def.bad = true
	}
	for _, t := range def.expr.Variables() {
		if t.RootName() == localRoot && len(t) > 1 {
			if name, ok := stepName(t[1]); ok && l.m.names[localRoot][name] {
				def.reads = append(def.reads, name)
			}
		}
	}
}

// localValue evaluates one local; those that it reads have their values.
func (l *loader) localValue(def *localDefinition, values map[string]cty.Value) cty.Value {
	if def.bad {
		return cty.DynamicVal
	}
	ctx := l.m.scope.ctx
	if len(def.reads) > 0 {
		read := make(map[string]cty.Value, len(def.reads))
		for _, name := range def.reads {
			read[name] = values[name]
		}
		ctx = ctx.NewChild()
		ctx.Variables = map[string]cty.Value{localRoot: cty.ObjectVal(read)}
	}
	v, ok := l.m.evaluate(def.expr, ctx, &l.diags)
	if !ok || !l.m.bounded(l.m.meter.Keep(v), def.expr.Range(), &l.diags) {
		return cty.DynamicVal
	}
	if v.ContainsMarked() {
		l.m.mask.learn(onlyMarked(v))
	}
	return v
}

// inOrder sorts locals so that each comes after those that it reads (Tarjan's strongly connected components), and
// reports those that read each other in a circle.
func (l *loader) inOrder(byName map[string]*localDefinition) []*localDefinition {
	defs := make([]*localDefinition, 0, len(byName))
	for _, def := range byName {
		defs = append(defs, def)
	}
	sort.Slice(defs, func(i, j int) bool { return before(&defs[i].nameRange, &defs[j].nameRange) })
	t := tarjan{byName: byName}
	for _, def := range defs {
		if def.number == 0 {
			t.visit(def)
		}
	}
	for _, circle := range t.circles {
		l.reportCircle(circle, byName)
	}
	return t.order
}

type tarjan struct {
	byName  map[string]*localDefinition
	next    int
	stack   []*localDefinition
	order   []*localDefinition
	circles [][]*localDefinition
}

func (t *tarjan) visit(def *localDefinition) {
	t.next++
	def.number, def.low, def.onStack = t.next, t.next, true
	t.stack = append(t.stack, def)
	itself := false
	for _, name := range def.reads {
		read := t.byName[name]
		switch {
		case read == nil:
			continue
		case read == def:
			itself = true
		case read.number == 0:
			t.visit(read)
			def.low = min(def.low, read.low)
		case read.onStack:
			def.low = min(def.low, read.number)
		}
	}
	if def.low != def.number {
		return
	}
	i := len(t.stack) - 1
	for t.stack[i] != def {
		i--
	}
	group := append([]*localDefinition(nil), t.stack[i:]...)
	t.stack = t.stack[:i]
	for _, member := range group {
		member.onStack = false
		t.order = append(t.order, member)
	}
	if len(group) > 1 || itself {
		t.circles = append(t.circles, group)
	}
}

// reportCircle names the members in the order in which they read each other.
func (l *loader) reportCircle(members []*localDefinition, byName map[string]*localDefinition) {
	inside := map[*localDefinition]bool{}
	first := members[0]
	for _, m := range members {
		inside[m], m.bad = true, true
		if before(&m.nameRange, &first.nameRange) {
			first = m
		}
	}
	path := circle(first, inside, byName)
	l.diags.error(RuleLocal, first.nameRange, "Locals refer to each other in a circle",
		strings.Join(path, " -> ")+". A value cannot depend on itself: break the circle.")
}

// circle is a shortest way from a local back to itself.
func circle(first *localDefinition, inside map[*localDefinition]bool, byName map[string]*localDefinition) []string {
	cameFrom := map[*localDefinition]*localDefinition{}
	for queue := []*localDefinition{first}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, name := range at.reads {
			read := byName[name]
			if read == first {
				path := []string{localRoot + "." + first.name}
				for ; at != nil; at = cameFrom[at] {
					path = append([]string{localRoot + "." + at.name}, path...)
				}
				return path
			}
			if _, seen := cameFrom[read]; inside[read] && !seen {
				cameFrom[read] = at
				queue = append(queue, read)
			}
		}
	}
	return nil
}

// onlyMarked is the parts of a value that are sensitive, as a tuple.
func onlyMarked(v cty.Value) cty.Value {
	var parts []cty.Value
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.IsMarked() {
			parts = append(parts, v)
			return false, nil
		}
		return true, nil
	})
	return cty.TupleVal(parts)
}
