package xds

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"
)

// pool makes resources of three kinds, twenty names and three versions.
func pool(t *testing.T) []*Resource {
	t.Helper()
	var out []*Resource
	for i := range 20 {
		for edit := range 3 {
			for _, m := range append(upstream(fmt.Sprint("n", i), edit, edit+1), plain(fmt.Sprint("n", i), edit+1)) {
				r, err := NewResource(m, i)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, r)
			}
		}
	}
	return out
}

// TestSetModel edits sets at random. A set is what a map is, whatever the way there, and a difference is that of maps.
func TestSetModel(t *testing.T) {
	all := pool(t)
	for seed := range int64(200) {
		random := rand.New(rand.NewSource(seed))
		set, err := NewSet(nil)
		if err != nil {
			t.Fatal(err)
		}
		content, history := map[Key]*Resource{}, []*Set{set}
		contents := []map[Key]*Resource{{}}
		for range 30 {
			changed, removed := map[Key]*Resource{}, map[Key]bool{}
			for range random.Intn(5) {
				r := all[random.Intn(len(all))]
				changed[r.Key()] = r
			}
			for range random.Intn(4) {
				if r := all[random.Intn(len(all))]; changed[r.Key()] == nil {
					removed[r.Key()] = true
				}
			}
			set, err = set.With(slices.Collect(maps.Values(changed)), slices.Collect(maps.Keys(removed)))
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(content, changed)
			maps.DeleteFunc(content, func(k Key, _ *Resource) bool { return removed[k] })
			history, contents = append(history, set), append(contents, maps.Clone(content))
		}
		fresh, err := NewSet(slices.Collect(maps.Values(content)))
		if err != nil {
			t.Fatal(err)
		}
		sameAs(t, set, fresh)
		if got := maps.Collect(func(yield func(Key, *Resource) bool) {
			for r := range set.All() {
				if !yield(r.Key(), r) {
					return
				}
			}
		}); !maps.Equal(got, content) || set.Len() != len(content) {
			t.Fatalf("%d resources, want %d", len(got), len(content))
		}
		from, to := random.Intn(len(history)), random.Intn(len(history))
		differs(t, history[from], history[to], contents[from], contents[to])
		differs(t, history[from], fresh, contents[from], content)
	}
}

// sameAs checks that two sets with the same content have the same names for it, and shape.
func sameAs(t *testing.T, a, b *Set) {
	t.Helper()
	if a.Hash() != b.Hash() || a.versions != b.versions {
		t.Fatal("one content has two hashes")
	}
	var shape func(x, y *tree) bool
	shape = func(x, y *tree) bool {
		return x == nil && y == nil || x != nil && y != nil && x.is(y.Resource) && shape(x.left, y.left) && shape(x.right, y.right)
	}
	for k := range a.trees {
		if !shape(a.trees[k], b.trees[k]) {
			t.Fatal("one content has two shapes")
		}
	}
}

func differs(t *testing.T, a, b *Set, before, after map[Key]*Resource) {
	t.Helper()
	want := map[Key]bool{}
	for k, r := range before {
		if !r.is(after[k]) {
			want[k] = true
		}
	}
	for k, r := range after {
		if !r.is(before[k]) {
			want[k] = true
		}
	}
	got := map[Key]bool{}
	for k := range a.trees {
		diff(a.trees[k], b.trees[k], func(x, y *Resource) {
			key := Key{}
			for _, r := range []*Resource{x, y} {
				if r != nil {
					key = r.Key()
				}
			}
			if !x.is(before[key]) || !y.is(after[key]) || got[key] {
				t.Fatalf("%v differs as %v, %v", key, x, y)
			}
			got[key] = true
		})
	}
	if !maps.Equal(got, want) {
		t.Fatalf("the difference is %v, want %v", got, want)
	}
}

func TestSetRefuses(t *testing.T) {
	a, b := sample(t, clusters, "a"), sample(t, clusters, "b")
	set, err := NewSet([]*Resource{a})
	if err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func() (*Set, error){
		"nil":      func() (*Set, error) { return set.With([]*Resource{nil}, nil) },
		"new nil":  func() (*Set, error) { return NewSet([]*Resource{nil}) },
		"twice":    func() (*Set, error) { return set.With([]*Resource{b, b}, nil) },
		"put, out": func() (*Set, error) { return set.With([]*Resource{b}, []Key{b.Key()}) },
	} {
		if _, err := edit(); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if set.Get(a.Key()) != a || set.Get(b.Key()) != nil || set.Get(Key{"x", "a"}) != nil {
		t.Error("what is there is not found, or the other way")
	}
}

// TestInterestModel: what is asked for is what a map of names would say, and exceptions are few where most is asked for.
func TestInterestModel(t *testing.T) {
	for seed := range int64(300) {
		random := rand.New(rand.NewSource(seed))
		var i interest
		asked, names := map[string]bool{}, []string{}
		for n := range 30 {
			names = append(names, fmt.Sprint("n", n))
		}
		var now *tree
		for range 60 {
			name := names[random.Intn(len(names))]
			switch random.Intn(4) {
			case 0, 1:
				i.add(now, name)
				asked[name] = true
			case 2:
				i.drop(now, name)
				delete(asked, name)
			default:
				before := now
				for range 1 + random.Intn(15) {
					r := sample(t, secrets, names[random.Intn(len(names))])
					if random.Intn(3) == 0 {
						now = now.drop(r.name)
					} else {
						now = now.put(r)
					}
				}
				diff(before, now, func(x, y *Resource) {
					switch {
					case x == nil:
						i.appeared(y.name)
					case y == nil:
						i.vanished(x.name)
					}
				})
			}
			i.compact(now)
			all := true
			for _, name := range names {
				if i.named(now, name) != asked[name] {
					t.Fatalf("seed %d: %s is asked for: %v", seed, name, asked[name])
				}
				all = all && (asked[name] || now.get(name) == nil)
			}
			if i.len(now) != len(asked) || i.covers(now) != all {
				t.Fatalf("seed %d: %d names, want %d; all: %v", seed, i.len(now), len(asked), all)
			}
		}
	}
}
