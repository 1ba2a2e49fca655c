package xds

// tree holds resources of one kind by name, and never changes: what is put in or taken out makes a new tree that shares all
// but a path with the old one. It is a treap whose ranks are functions of the names, so that equal content is an equal
// shape, whatever the way there, and two trees are compared at the cost of what differs between them.
type tree struct {
	*Resource
	left, right *tree
	size        int
	total       sum
}

func grow(r *Resource, left, right *tree) *tree {
	t := &tree{Resource: r, left: left, right: right, size: 1, total: r.sum}
	for _, sub := range []*tree{left, right} {
		if sub != nil {
			t.size += sub.size
			t.total = t.total.plus(sub.total)
		}
	}
	return t
}

// plant makes a tree of resources that are sorted by name.
func plant(sorted []*Resource) *tree {
	if len(sorted) == 0 {
		return nil
	}
	top := 0
	for i, r := range sorted {
		if above(r, sorted[top]) {
			top = i
		}
	}
	return grow(sorted[top], plant(sorted[:top]), plant(sorted[top+1:]))
}

// above tells whether a stands above b in every tree that holds both.
func above(a, b *Resource) bool { return a.rank > b.rank || a.rank == b.rank && a.name < b.name }

func (t *tree) len() int {
	if t == nil {
		return 0
	}
	return t.size
}

func (t *tree) sum() sum {
	if t == nil {
		return sum{}
	}
	return t.total
}

// get is the resource of that name, or nil.
func (t *tree) get(name string) *Resource {
	for t != nil {
		switch {
		case name < t.name:
			t = t.left
		case name > t.name:
			t = t.right
		default:
			return t.Resource
		}
	}
	return nil
}

// put is t with r, in place of what had its name.
func (t *tree) put(r *Resource) *tree {
	switch {
	case t == nil:
		return grow(r, nil, nil)
	case r.name == t.name:
		return grow(r, t.left, t.right)
	case above(r, t.Resource):
		left, _, right := t.split(r.name)
		return grow(r, left, right)
	case r.name < t.name:
		return grow(t.Resource, t.left.put(r), t.right)
	default:
		return grow(t.Resource, t.left, t.right.put(r))
	}
}

// drop is t without that name.
func (t *tree) drop(name string) *tree {
	if t.get(name) == nil {
		return t
	}
	left, _, right := t.split(name)
	return join(left, right)
}

// split is what stands before a name, at it, and after it.
func (t *tree) split(name string) (before *tree, at *Resource, after *tree) {
	switch {
	case t == nil:
		return nil, nil, nil
	case name < t.name:
		before, at, after = t.left.split(name)
		return before, at, grow(t.Resource, after, t.right)
	case name > t.name:
		before, at, after = t.right.split(name)
		return grow(t.Resource, t.left, before), at, after
	default:
		return t.left, t.Resource, t.right
	}
}

// join is all of two trees, the names of the second of which come after those of the first.
func join(a, b *tree) *tree {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case above(a.Resource, b.Resource):
		return grow(a.Resource, a.left, join(a.right, b))
	default:
		return grow(b.Resource, join(a, b.left), b.right)
	}
}

// walk visits the resources by name until visit is false.
func (t *tree) walk(visit func(*Resource) bool) bool {
	return t == nil || t.left.walk(visit) && visit(t.Resource) && t.right.walk(visit)
}

// list is the resources by name.
func (t *tree) list() []*Resource {
	all := make([]*Resource, 0, t.len())
	t.walk(func(r *Resource) bool { all = append(all, r); return true })
	return all
}

// diff visits, by name, what differs between two trees: nil stands for what is not there.
func diff(a, b *tree, visit func(before, after *Resource)) {
	switch {
	case a == b || a.len() == b.len() && a.sum() == b.sum():
	case a == nil:
		b.walk(func(r *Resource) bool { visit(nil, r); return true })
	case b == nil:
		a.walk(func(r *Resource) bool { visit(r, nil); return true })
	case a.name == b.name:
		diff(a.left, b.left, visit)
		if !a.is(b.Resource) {
			visit(a.Resource, b.Resource)
		}
		diff(a.right, b.right, visit)
	case above(a.Resource, b.Resource): // else it would stand above in b, too
		before, _, after := b.split(a.name)
		diff(a.left, before, visit)
		visit(a.Resource, nil)
		diff(a.right, after, visit)
	default:
		before, _, after := a.split(b.name)
		diff(before, b.left, visit)
		visit(nil, b.Resource)
		diff(after, b.right, visit)
	}
}
