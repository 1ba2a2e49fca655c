package source

import (
	"os"
	"path/filepath"
	"strings"
)

const maxLinks = 255

// path adds the names on the way to an absolute path that decide what it leads to: the path itself, or the first part
// of it that is missing, and every link, wherever it stands.
func (i interests) path(absolute string) {
	directory, rest := string(filepath.Separator), parts(absolute)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			directory = filepath.Dir(directory)
			continue
		}
		at := filepath.Join(directory, name)
		info, err := os.Lstat(at)
		if err != nil {
			i.one(directory, name)
			return
		}
		if info.Mode()&os.ModeSymlink == 0 {
			if len(rest) == 0 {
				i.one(directory, name)
			}
			directory = at
			continue
		}
		i.one(directory, name)
		target, err := os.Readlink(at)
		if links++; err != nil || links > maxLinks {
			return
		}
		if filepath.IsAbs(target) {
			directory = string(filepath.Separator)
		}
		rest = append(parts(target), rest...)
	}
}

// parts splits a path into its names.
func parts(path string) []string {
	var names []string
	for _, name := range strings.Split(filepath.ToSlash(path), "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}
