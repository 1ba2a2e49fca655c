// Package source reads the files of a configuration and watches them.
//
// It promises that nothing is skipped in silence: every *.hcl and *.hcl.json file below a directory is in the
// Snapshot, or Read says why it cannot be. Left out are files and folders whose names start with "." or end with "~".
// Links are followed, and each real file is in a Snapshot once, however many links lead to it.
//
// A Watcher promises that an Update holds settled text (no half-written file removes a block), that each change of
// content is followed by an Update, whatever the file system tells about it and however busy a writer is, and that
// nothing that the files or directories do stops it.
package source

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Bounds of a configuration. They are far from what anyone writes (10,000 upstreams of 10 nodes are 9 MB); beyond them
// lies a mistake, like a link to a whole disk. Loading takes about a hundred times the memory of the text, so that a
// larger file could take the machine with it.
const (
	maxFileSize = 32 << 20
	maxText     = 64 << 20 // of all files together
	maxFiles    = 100_000
	maxDepth    = 100 // folders in folders
)

// File is one file of a configuration.
type File struct {
	Name  string // relative to the root, with slashes
	Path  string // absolute, links not resolved
	Bytes []byte // not to be changed
}

// Snapshot is the text of a configuration at one time.
type Snapshot struct {
	Root   string // absolute: the directory, or the folder of the single file; links not resolved
	Files  []File // sorted by name; none where the directory has no configuration file
	Single bool   // the path names a file, not a directory
}

// Read reads the configuration at path: a directory, or a single file of any name.
//
// An error wraps an *fs.PathError for each path that cannot be read, each on a line that says what to do. Where
// something cannot be read there is no snapshot at all.
func Read(path string) (*Snapshot, error) {
	tree, err := walk(path)
	if err != nil && (tree.single || errors.Is(err, errTooMany) || errors.Is(err, errTooLarge)) {
		return nil, err
	}
	errs := []error{err}
	snapshot := &Snapshot{Root: tree.root, Single: tree.single}
	for _, f := range tree.files {
		read, err := readStable(f.path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		snapshot.Files = append(snapshot.Files, File{Name: f.name, Path: f.path, Bytes: read.data})
	}
	if err := together(errs); err != nil {
		return nil, err
	}
	return snapshot, nil
}

// ReadFile reads one file that a configuration names, such as a certificate, as Read reads the configuration itself:
// it refuses what is not a regular file instead of waiting for it, bounds its size, and reads again what changed
// meanwhile.
func ReadFile(path string) ([]byte, error) {
	read, err := readStable(path)
	return read.data, err
}

// Hash names the content: equal names and bytes give an equal hash. The root is not part of it.
func (s *Snapshot) Hash() string {
	h := sha256.New()
	part := func(b []byte) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(b)))
		h.Write(size[:]) // a hash never fails
		h.Write(b)
	}
	for _, f := range s.Files {
		part([]byte(f.Name))
		part(f.Bytes)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hidden tells whether a name is left out: those of editors' own files, of ConfigMap mounts' own directories.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~")
}

// isConfiguration tells whether a name is that of a configuration file.
func isConfiguration(name string) bool {
	return strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json")
}

// trouble makes an error of what the file system said about a path, with what to do about it.
func trouble(op, path string, err error) error {
	var about *fs.PathError
	if errors.As(err, &about) {
		err = about.Err
	}
	remedy := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		remedy = "create it, or name another path"
	case errors.Is(err, fs.ErrPermission):
		remedy = "let weir's user read it"
	case errors.Is(err, syscall.ELOOP):
		remedy = "remove the link that leads to itself"
	default:
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return fmt.Errorf("%w; %s", &fs.PathError{Op: op, Path: path, Err: err}, remedy)
}

// errPipe is what <(COMMAND) of a shell and its like are.
var errPipe = errors.New("not a regular file, and weir reads more than once: write it to a file (\"-\" is standard input, for validate and fmt)")

// realPath resolves the links of a path.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, open := os.Stat(path); open == nil { // a link of /dev/fd to a pipe, which has no name
			return "", &fs.PathError{Op: "read", Path: path, Err: errPipe}
		}
	}
	if err != nil {
		return "", trouble("read", path, err)
	}
	return real, nil
}
