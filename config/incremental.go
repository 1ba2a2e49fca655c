package config

import (
	"cmp"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/config/source"
)

// Loader loads one configuration again and again. An edit costs what it changes: only blocks whose text is new are
// parsed, only those and what depends on them are evaluated, and only rules that they may break are checked.
//
// Its Results are those of FromSnapshot, in every word. Beyond that, a noun whose inputs did not change is the same
// pointer in the Configuration as before, and a map none of whose nouns changed the same map; nobody may change them.
// Where anything is wrong everything is loaded from scratch, and the Loader stays at the last good load. It is for one
// goroutine.
type Loader struct {
	options Options
	root    string
	single  bool
	files   []source.File // of the last load, with their names in messages
	names   []string
	state   *state // nil: no load was good yet
	broken  any    // what the last panic said
}

// NewLoader returns a Loader that has loaded nothing.
func NewLoader() *Loader { return new(Loader) }

// Load loads files that have been read. With other options than before it starts over.
func (ld *Loader) Load(s *source.Snapshot, o Options) *Result {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	now := o.Now
	o.Now = time.Time{}
	if s.Root != ld.root || s.Single != ld.single || !reflect.DeepEqual(o, ld.options) {
		*ld = Loader{options: o, root: s.Root, single: s.Single}
	}
	texts := ld.texts(s)
	if result := ld.build(texts, now); result != nil {
		return result
	}
	o.Now = now
	return FromSnapshot(s, o)
}

// texts are the files by the names that messages print.
func (ld *Loader) texts(s *source.Snapshot) []lang.File {
	names := make([]string, len(s.Files))
	texts := make([]lang.File, len(s.Files))
	for i, f := range s.Files {
		if i < len(ld.files) && ld.files[i].Name == f.Name {
			names[i] = ld.names[i]
		} else {
			names[i] = f.Name
			if ld.options.Prefix != "" {
				names[i] = path.Join(filepath.ToSlash(ld.options.Prefix), f.Name)
			}
		}
		texts[i] = lang.File{Name: names[i], Bytes: f.Bytes}
	}
	ld.files, ld.names = s.Files, names
	return texts
}

// build is the load that builds on the last good one, or nil.
func (ld *Loader) build(texts []lang.File, now time.Time) (result *Result) {
	st := ld.state
	if st == nil {
		root := ld.root
		if abs, err := filepath.Abs(root); err == nil {
			root = abs
		}
		read := newReads(root)
		st = newState(lang.Input{
			Root: root, Kinds: kinds, Variables: ld.options.Variables, ReadFile: read.file, ReadDir: read.directory, Stat: read.look,
		}, read)
	}
	defer func() {
		if p := recover(); p != nil { // a load from scratch tells of it, if it meets the same
			ld.state, ld.broken, result = nil, p, nil
		}
	}()
	if !st.apply(texts, now) {
		st.reads.forget()
		return nil
	}
	ld.state = st
	paths := st.space.Reads()
	st.reads.keep(paths)
	result = st.result(texts, paths)
	result.built = true
	return result
}

func (s *state) result(texts []lang.File, paths []string) *Result {
	mask, given := s.space.Mask(), s.space.Given()
	since, until := s.dates()
	r := &Result{
		Configuration: s.configuration, Diagnostics: s.diagnostics(mask), Read: paths, Empty: true, Since: since, Until: until, mask: mask,
		source: func(name string) *hcl.File {
			i, found := slices.BinarySearchFunc(texts, name, func(f lang.File, name string) int { return strings.Compare(f.Name, name) })
			file := given[name]
			if found && file == nil {
				file = &hcl.File{Bytes: texts[i].Bytes}
			}
			if !found || file == nil {
				return file
			}
			return lang.Outlined(name, file)
		},
	}
	for _, kind := range kinds {
		r.Empty = r.Empty && s.space.Count(kind) == 0
	}
	return r
}

// diagnostics are all warnings, where the blocks stand now.
func (s *state) diagnostics(mask func(string) string) hcl.Diagnostics {
	all := slices.Clone(s.space.Warnings())
	add := func(u *lang.Unit, warnings hcl.Diagnostics) {
		for _, d := range warnings {
			all = append(all, u.Resolve(d))
		}
	}
	for _, r := range slices.SortedFunc(maps.Keys(s.warned), func(a, b *record) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.unit.Kind), slices.Index(kinds, b.unit.Kind)), cmp.Compare(a.unit.Name, b.unit.Name))
	}) {
		add(r.unit, r.warnings)
	}
	for a, service := range s.alarmed {
		add(s.records[lang.Ref{Kind: kindService, Name: service.model.Name}].unit, a.warnings)
	}
	for i, d := range all {
		out := *d
		out.Summary, out.Detail = mask(d.Summary), mask(d.Detail)
		all[i] = &out
	}
	sortDiagnostics(all)
	return all
}
