package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// found is a file or directory as a walk found it.
type found struct {
	name string      // relative to the root, with slashes; "." is the root
	path string      // absolute, as it was reached
	at   string      // the real path of its directory, and its own name: where events about a link come from
	real string      // all links resolved
	info fs.FileInfo // of the real file
}

// same tells whether f and g are the same file, reached the same way.
func (f found) same(g found) bool {
	return f.real == g.real && f.at == g.at && os.SameFile(f.info, g.info)
}

// unchanged tells whether nothing that the file system shows differs: not a proof that the content is equal.
func (f found) unchanged(g found) bool {
	return f.same(g) && f.info.Size() == g.info.Size() && f.info.ModTime().Equal(g.info.ModTime())
}

// tree is everything that belongs to a configuration, without its text.
type tree struct {
	root   string
	single bool
	files  []found // sorted by name, each real file once
	dirs   []found // the root and every folder below; none where a single file is the configuration
}

// walk looks for the files of the configuration at path. With an error, which is all that is wrong, the tree holds the
// rest.
func walk(path string) (tree, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return tree{}, trouble("read", path, err)
	}
	w := walker{tree: tree{root: absolute}, files: map[string]bool{}, dirs: map[string]bool{}}
	root, err := look(".", absolute)
	switch {
	case err != nil:
		return w.tree, err
	case root.info.IsDir():
		w.run(root)
		sort.Slice(w.tree.files, func(i, j int) bool { return w.tree.files[i].name < w.tree.files[j].name })
		return w.tree, together(w.errs)
	}
	root.name = filepath.Base(absolute)
	return tree{root: filepath.Dir(absolute), single: true, files: []found{root}}, regular(root)
}

// look finds out what stands at a path.
func look(name, absolute string) (found, error) {
	f := found{name: name, path: absolute}
	real, err := realPath(absolute)
	if err != nil {
		return f, err
	}
	directory, err := realPath(filepath.Dir(absolute))
	if err != nil {
		return f, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return f, trouble("read", absolute, err)
	}
	f.real, f.at, f.info = real, filepath.Join(directory, filepath.Base(absolute)), info
	return f, nil
}

var (
	errNotFile   = errors.New("not a regular file: remove it, or give it another name")
	errDirectory = errors.New("a directory with the name of a configuration file: give it another name")
	errDangling  = errors.New("the link leads nowhere: remove it, or create what it leads to")
	errCycle     = errors.New("the link leads back to a directory above it: remove it")
	errTooMany   = errors.New("more files than a configuration can have: is this the right directory?")
	errTooLarge  = fmt.Errorf("more than %d MiB of configuration files: is this the right directory?", maxText>>20)
	errTooDeep   = errors.New("folders are nested deeper than a configuration can have: is this the right directory?")
)

// regular refuses a configuration file that is something else.
func regular(f found) error {
	switch {
	case f.info.IsDir():
		return &fs.PathError{Op: "read", Path: f.path, Err: errDirectory}
	case !f.info.Mode().IsRegular():
		return &fs.PathError{Op: "read", Path: f.path, Err: errNotFile}
	}
	return nil
}

// walker collects a tree. Links wait until everything that is there by itself has been found, so that a file has the
// name without a link in it, where there is one, and the order of directory entries means nothing.
type walker struct {
	tree  tree
	files map[string]bool // by real path
	dirs  map[string]bool // by real path
	links []link
	errs  []error // of what cannot be taken
	full  bool    // there is too much to go on
	text  int64   // bytes of the files
}

type link struct {
	name, path string
	dir        found // the folder that it stands in
}

func (w *walker) run(root found) {
	w.directory(root)
	for len(w.links) > 0 {
		links := w.links
		w.links = nil
		sort.Slice(links, func(i, j int) bool { return links[i].name < links[j].name })
		for _, l := range links {
			w.follow(l)
		}
	}
}

// fail notes what cannot be taken, and goes on: all of it is told at once.
func (w *walker) fail(err error) { w.errs = append(w.errs, err) }

func (w *walker) directory(dir found) {
	if w.dirs[dir.real] {
		return
	}
	w.dirs[dir.real] = true
	w.tree.dirs = append(w.tree.dirs, dir)
	if strings.Count(dir.name, "/") > maxDepth {
		w.fail(&fs.PathError{Op: "read", Path: dir.path, Err: errTooDeep})
		return
	}
	entries, err := os.ReadDir(dir.path)
	if err != nil {
		w.fail(trouble("read", dir.path, err))
		return
	}
	for _, entry := range entries {
		if w.full {
			return
		}
		w.entry(dir, entry)
	}
}

func (w *walker) entry(dir found, entry fs.DirEntry) {
	name := path.Join(dir.name, entry.Name())
	absolute := filepath.Join(dir.path, entry.Name())
	kind := entry.Type()
	switch {
	case hidden(entry.Name()):
		return
	case kind&fs.ModeSymlink != 0:
		w.links = append(w.links, link{name: name, path: absolute, dir: dir})
		return
	case !kind.IsDir() && !isConfiguration(entry.Name()):
		return
	}
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return // removed since the directory was listed
	}
	if err != nil {
		w.fail(trouble("read", absolute, err))
		return
	}
	real := filepath.Join(dir.real, entry.Name())
	w.add(found{name: name, path: absolute, at: real, real: real, info: info})
}

// add takes a file or a folder into the tree.
func (w *walker) add(f found) {
	if f.info.IsDir() && !isConfiguration(path.Base(f.name)) {
		w.directory(f)
		return
	}
	if err := regular(f); err != nil {
		w.fail(err)
		return
	}
	if w.files[f.real] {
		return
	}
	w.files[f.real] = true
	w.tree.files = append(w.tree.files, f)
	if size := f.info.Size(); size <= maxFileSize { // a larger one is refused by its name when it is read
		w.text += size
	}
	switch {
	case w.full:
	case len(w.tree.files) > maxFiles:
		w.full = true
		w.fail(&fs.PathError{Op: "read", Path: w.tree.root, Err: errTooMany})
	case w.text > maxText:
		w.full = true
		w.fail(&fs.PathError{Op: "read", Path: w.tree.root, Err: errTooLarge})
	}
}

// follow takes what a link leads to.
func (w *walker) follow(l link) {
	if w.full {
		return
	}
	info, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(l.path); !errors.Is(err, fs.ErrNotExist) { // else the link itself is gone
			w.fail(&fs.PathError{Op: "read", Path: l.path, Err: errDangling})
		}
		return
	}
	if err != nil {
		w.fail(trouble("read", l.path, err))
		return
	}
	if !info.IsDir() && !isConfiguration(path.Base(l.name)) {
		return
	}
	real, err := realPath(l.path)
	switch {
	case err != nil:
		w.fail(err)
		return
	case info.IsDir() && below(real, l.dir.real):
		w.fail(&fs.PathError{Op: "read", Path: l.path, Err: errCycle})
		return
	}
	at := filepath.Join(l.dir.real, filepath.Base(l.path))
	w.add(found{name: l.name, path: l.path, at: at, real: real, info: info})
}

// below tells whether path is directory or something inside of it; both are real paths.
func below(directory, path string) bool {
	relative, err := filepath.Rel(directory, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}
