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
	lock  sync.Mutex
	known map[string]*seen // by absolute path
	now   map[string]*seen // of the load that goes on
	torn  bool             // a file was read twice, and changed between
}

// seen is what a read found. A missing file, and one that cannot be read, has a sum too.
type seen struct {
	stamp     source.Stamp
	sum       [sha256.Size]byte
	directory bool
}

func newReads() *reads { return &reads{known: map[string]*seen{}, now: map[string]*seen{}} }

func (r *reads) file(name string) ([]byte, error) {
	stamp := source.StampOf(name)
	data, err := source.ReadFile(name)
	return data, r.note(name, &seen{stamp: stamp, sum: sumOf(data, err)}, err)
}

func (r *reads) directory(name string) ([]fs.DirEntry, error) {
	stamp := source.StampOf(name)
	entries, err := os.ReadDir(name)
	return entries, r.note(name, &seen{stamp: stamp, sum: sumOfNames(entries, err), directory: true}, err)
}

func (r *reads) note(name string, s *seen, err error) error {
	abs, absErr := filepath.Abs(name)
	if absErr != nil {
		return absErr
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if before := r.now[abs]; before != nil && before.sum != s.sum && before.directory == s.directory {
		r.torn = true
	}
	r.now[abs] = s
	return err
}

func sumOf(data []byte, err error) [sha256.Size]byte {
	if err != nil {
		return sha256.Sum256([]byte("error\x00" + err.Error()))
	}
	return sha256.Sum256(data)
}

func sumOfNames(entries []fs.DirEntry, err error) [sha256.Size]byte {
	var names strings.Builder
	for _, entry := range entries {
		names.WriteString(entry.Name() + "\x00" + entry.Type().String() + "\x00")
	}
	return sumOf([]byte(names.String()), err)
}

// changed are the paths that hold something else than when a good load read them.
func (r *reads) changed() []string {
	var changed []string
	for path, was := range r.known {
		stamp := source.StampOf(path)
		if was.stamp.Same(stamp) {
			continue
		}
		var sum [sha256.Size]byte
		if was.directory {
			sum = sumOfNames(os.ReadDir(path))
		} else {
			sum = sumOf(source.ReadFile(path))
		}
		if sum != was.sum {
			changed = append(changed, path)
		} else {
			was.stamp = stamp
		}
	}
	return changed
}

// keep makes what the load read what is known, of the paths that results depend on.
func (r *reads) keep(paths []string) {
	for path, s := range r.now {
		r.known[path] = s
	}
	if len(r.known) > len(paths) {
		wanted := make(map[string]bool, len(paths))
		for _, path := range paths {
			wanted[path] = true
		}
		for path := range r.known {
			if !wanted[path] {
				delete(r.known, path)
			}
		}
	}
	r.forget()
}

// forget drops what a load read that came to nothing.
func (r *reads) forget() {
	clear(r.now)
	r.torn = false
}

// sorted are the paths of the load.
func (r *reads) sorted() []string {
	paths := make([]string, 0, len(r.now))
	for path := range r.now {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
