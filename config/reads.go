package config

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/weirproxy/weir/config/source"
)

// reads records which files and directories a load looked at, and what was there.
type reads struct {
	root  string
	lock  sync.Mutex
	known map[look]*seen
	other map[string]bool // paths where something else was found at the start of the load than is known
	now   map[look]*seen  // of the load that goes on
	torn  bool            // something changed while it was read, so that some blocks have seen what others have not
}

// look is one way to look at an absolute path.
type look struct {
	path string
	way  way
}

// way is what is asked of a path: its content, its names, or what it is.
type way int

const (
	content way = iota
	names
	nature
)

// seen is what a look found. A missing file, and one that cannot be read, has a sum too.
type seen struct {
	stamp source.Stamp
	sum   [sha256.Size]byte
}

func newReads(root string) *reads {
	return &reads{root: root, known: map[look]*seen{}, now: map[look]*seen{}}
}

func (r *reads) file(name string) ([]byte, error) {
	stamp := source.StampOf(name)
	data, err := source.ReadFile(name)
	return data, r.note(look{name, content}, stamp, data, err)
}

func (r *reads) directory(name string) ([]fs.DirEntry, error) {
	stamp := source.StampOf(name)
	entries, err := os.ReadDir(name)
	return entries, r.note(look{name, names}, stamp, listed(entries), err)
}

func (r *reads) look(name string) (fs.FileInfo, error) {
	stamp := source.StampOf(name)
	info, err := os.Stat(name)
	return info, r.note(look{name, nature}, stamp, typed(info), err)
}

func (r *reads) note(at look, stamp source.Stamp, found []byte, err error) error {
	abs, absErr := filepath.Abs(at.path)
	if absErr != nil {
		return absErr
	}
	at.path = abs
	s := &seen{stamp, r.sumOf(abs, found, err)}
	r.lock.Lock()
	defer r.lock.Unlock()
	if before := r.now[at]; before != nil && before.sum != s.sum {
		r.torn = true
	}
	if before := r.known[at]; before != nil && before.sum != s.sum && !r.other[abs] {
		r.torn = true
	}
	r.now[at] = s
	return err
}

// sumOf is the same as long as a look finds the same, and finds it at the same place: functions read only what lies below
// the root, wherever links lead.
func (r *reads) sumOf(abs string, found []byte, err error) [sha256.Size]byte {
	sum := sha256.New()
	sum.Write([]byte(r.placeOf(abs) + "\x00"))
	if err != nil {
		sum.Write([]byte("error\x00" + err.Error()))
	} else {
		sum.Write(found)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// placeOf is where links lead, from where the root is. Of what is missing it tells how far they lead.
func (r *reads) placeOf(abs string) string {
	place, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return err.Error()
	}
	root, err := filepath.EvalSymlinks(r.root)
	if err != nil {
		return place
	}
	if relative, err := filepath.Rel(root, place); err == nil {
		return relative
	}
	return place
}

func listed(entries []fs.DirEntry) []byte {
	var text strings.Builder
	for _, entry := range entries {
		text.WriteString(entry.Name() + "\x00" + entry.Type().String() + "\x00")
	}
	return []byte(text.String())
}

func typed(info fs.FileInfo) []byte {
	if info == nil {
		return nil
	}
	return []byte(info.Mode().Type().String())
}

// sum is what a look finds now.
func (r *reads) sum(at look) [sha256.Size]byte {
	switch at.way {
	case names:
		entries, err := os.ReadDir(at.path)
		return r.sumOf(at.path, listed(entries), err)
	case nature:
		info, err := os.Stat(at.path)
		return r.sumOf(at.path, typed(info), err)
	}
	data, err := source.ReadFile(at.path)
	return r.sumOf(at.path, data, err)
}

// changed are the paths where something else is found than when a good load looked.
func (r *reads) changed() []string {
	r.other = map[string]bool{}
	for at, was := range r.known {
		stamp := source.StampOf(at.path)
		if was.stamp.Same(stamp) {
			continue
		}
		if r.sum(at) != was.sum {
			r.other[at.path] = true
		} else {
			was.stamp = stamp
		}
	}
	paths := make([]string, 0, len(r.other))
	for path := range r.other {
		paths = append(paths, path)
	}
	return paths
}

// keep makes what the load saw what is known, of the paths that results depend on.
func (r *reads) keep(paths []string) {
	for at, s := range r.now {
		r.known[at] = s
	}
	if len(r.known) > len(paths) {
		wanted := make(map[string]bool, len(paths))
		for _, path := range paths {
			wanted[path] = true
		}
		for at := range r.known {
			if !wanted[at.path] {
				delete(r.known, at)
			}
		}
	}
	r.forget()
}

// forget drops what a load saw that came to nothing.
func (r *reads) forget() {
	clear(r.now)
	r.torn = false
}

// sorted are the paths of the load.
func (r *reads) sorted() []string {
	paths := make([]string, 0, len(r.now))
	for at := range r.now {
		paths = append(paths, at.path)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
