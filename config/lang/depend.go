package lang

// detach makes a node one that depends on nothing.
func (e *Edit) detach(n *node) {
	w, j := e.w, e.Journal
	for _, ref := range n.names {
		if isValue(ref) {
			without(j, w.readers, ref, n)
		} else {
			Put(j, w.users, ref, w.users[ref]-1)
		}
	}
	for _, kind := range n.kinds {
		without(j, w.whole, kind, n)
	}
	for _, path := range n.reads {
		without(j, w.read, path, n)
	}
	for _, text := range n.learned {
		if count := w.learned[text] - 1; count > 0 {
			Put(j, w.learned, text, count)
		} else {
			Remove(j, w.learned, text)
		}
	}
	Set(j, &w.effort, w.effort.Less(n.effort))
}

// attach makes a node depend on what was noted.
func (e *Edit) attach(n *node, noted node) {
	w, j := e.w, e.Journal
	Set(j, &n.needs, noted.needs)
	Set(j, &n.learned, noted.learned)
	Set(j, &n.effort, noted.effort)
	for _, ref := range n.names {
		if isValue(ref) {
			with(j, w.readers, ref, n)
		} else {
			Put(j, w.users, ref, w.users[ref]+1)
		}
	}
	for _, kind := range n.kinds {
		with(j, w.whole, kind, n)
	}
	for _, path := range n.reads {
		with(j, w.read, path, n)
	}
	for _, text := range n.learned {
		Put(j, w.learned, text, w.learned[text]+1)
	}
	Set(j, &w.effort, w.effort.Add(n.effort))
}

// isValue tells a local or a variable from a block.
func isValue(ref Ref) bool { return ref.Kind == localRoot || ref.Kind == varRoot }

func with[K comparable](j *Journal, m map[K]map[*node]struct{}, key K, n *node) {
	if m[key] == nil {
		Put(j, m, key, map[*node]struct{}{})
	}
	Put(j, m[key], n, struct{}{})
}

func without[K comparable](j *Journal, m map[K]map[*node]struct{}, key K, n *node) {
	Remove(j, m[key], n)
	if len(m[key]) == 0 {
		Remove(j, m, key)
	}
}
