package lang

// Journal knows how to take back what was done to maps. The zero Journal keeps a record; a nil one keeps none.
type Journal struct{ steps []func() }

// Note adds a step that takes something back.
func (j *Journal) Note(undo func()) {
	if j != nil {
		j.steps = append(j.steps, undo)
	}
}

// Undo takes everything back, the last first.
func (j *Journal) Undo() {
	for i := len(j.steps) - 1; i >= 0; i-- {
		j.steps[i]()
	}
	j.steps = nil
}

// Put sets a key of a map.
func Put[K comparable, V any](j *Journal, m map[K]V, key K, value V) {
	if j != nil {
		j.Note(restore(m, key))
	}
	m[key] = value
}

// Remove takes a key out of a map.
func Remove[K comparable, V any](j *Journal, m map[K]V, key K) {
	if j != nil {
		j.Note(restore(m, key))
	}
	delete(m, key)
}

// Remember makes Undo restore a key of a map that is about to be changed.
func Remember[K comparable, V any](j *Journal, m map[K]V, key K) {
	if j != nil {
		j.Note(restore(m, key))
	}
}

func restore[K comparable, V any](m map[K]V, key K) func() {
	old, had := m[key]
	return func() {
		if had {
			m[key] = old
		} else {
			delete(m, key)
		}
	}
}

// Set sets a variable.
func Set[V any](j *Journal, at *V, value V) {
	if j != nil {
		old := *at
		j.Note(func() { *at = old })
	}
	*at = value
}
