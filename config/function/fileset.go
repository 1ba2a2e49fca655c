package function

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Bounds of what fileset looks at.
const (
	maxFiles        = 100_000
	maxAlternatives = 1000 // that the braces of a pattern stand for
)

// fileSetFunc lists the regular files below a directory whose paths match a pattern: "*", "?", "[a-z]" within a name,
// "**" for any number of directories, "{a,b}" for either. A name that starts with a dot needs a pattern that does, as
// in a shell: the hidden directories of a mounted ConfigMap would be listed otherwise. "**" does not enter linked
// directories, so it ends.
func fileSetFunc(o Options) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			base := args[0].AsString()
			patterns, err := expandBraces(filepath.ToSlash(args[1].AsString()))
			if err != nil {
				return cty.NilVal, function.NewArgError(1, err)
			}
			walk := fileWalk{options: o, base: base, found: map[string]cty.Value{}}
			for _, pattern := range patterns {
				if err := walk.pattern(pattern); err != nil {
					return cty.NilVal, err
				}
			}
			if len(walk.found) == 0 {
				return cty.SetValEmpty(cty.String), nil
			}
			names := make([]cty.Value, 0, len(walk.found))
			for _, name := range walk.found {
				names = append(names, name)
			}
			return cty.SetVal(names), nil
		},
	})
}

type fileWalk struct {
	options Options
	base    string
	found   map[string]cty.Value // by path relative to base
	seen    int                  // directory entries
}

func (w *fileWalk) pattern(pattern string) error {
	var segments []string
	for _, segment := range strings.Split(path.Clean(pattern), "/") {
		if _, err := path.Match(segment, ""); err != nil || segment == ".." || segment == "" {
			return function.NewArgErrorf(1, "%q is not a pattern of paths inside of the directory", pattern)
		}
		if n := len(segments); segment != "**" || n == 0 || segments[n-1] != "**" {
			segments = append(segments, segment)
		}
	}
	if segments[len(segments)-1] == "**" {
		segments = append(segments, "*")
	}
	return w.walk("", segments)
}

// walk goes through the directory dir, relative to the base, with what is left of a pattern.
func (w *fileWalk) walk(dir string, segments []string) error {
	entries, err := w.list(dir)
	if err != nil {
		return err
	}
	if segments[0] != "**" {
		return w.match(dir, entries, segments)
	}
	if err := w.match(dir, entries, segments[1:]); err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if err := w.walk(path.Join(dir, entry.Name()), segments); err != nil {
			return err
		}
	}
	return nil
}

// match looks for entries of dir that fit the first segment.
func (w *fileWalk) match(dir string, entries []fs.DirEntry, segments []string) error {
	for _, entry := range entries {
		if !matchName(segments[0], entry.Name()) {
			continue
		}
		name := path.Join(dir, entry.Name())
		mode, err := w.mode(name, entry)
		switch {
		case err != nil:
			return err
		case len(segments) == 1 && mode.IsRegular():
			w.found[name] = cty.StringVal(name)
		case len(segments) > 1 && mode.IsDir():
			if err := w.walk(name, segments[1:]); err != nil {
				return err
			}
		}
	}
	return nil
}

func matchName(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

// list reads a directory below the base. One that is missing has no entries.
func (w *fileWalk) list(dir string) ([]fs.DirEntry, error) {
	absolute, err := w.options.locate(filepath.Join(w.base, filepath.FromSlash(dir)))
	if err != nil {
		return nil, function.NewArgError(0, err)
	}
	entries, err := w.options.readDir(absolute)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, function.NewArgErrorf(0, "cannot list %q: %w", path.Join(w.base, dir), plainCause(err))
	}
	if w.seen += len(entries); w.seen > maxFiles {
		return nil, fmt.Errorf("there are more than %d files to look at", maxFiles)
	}
	return entries, nil
}

// mode returns what an entry is, links followed. A link to nothing is nothing.
func (w *fileWalk) mode(name string, entry fs.DirEntry) (fs.FileMode, error) {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.Type(), nil
	}
	absolute, err := w.options.locate(filepath.Join(w.base, filepath.FromSlash(name)))
	if err != nil {
		return 0, function.NewArgError(0, err)
	}
	info, err := w.options.stat(absolute)
	if err != nil {
		return fs.ModeIrregular, nil //nolint:nilerr // see above
	}
	return info.Mode(), nil
}

// expandBraces returns the patterns that "{a,b}" stands for.
func expandBraces(pattern string) ([]string, error) {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}, nil
	}
	depth, start := 0, open+1
	var choices []string
	for i := open; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '{':
			depth++
		case c == ',' && depth == 1:
			choices = append(choices, pattern[start:i])
			start = i + 1
		case c == '}':
			if depth--; depth == 0 {
				return joinChoices(pattern[:open], append(choices, pattern[start:i]), pattern[i+1:])
			}
		}
	}
	return nil, fmt.Errorf("%q has a brace that is not closed", pattern)
}

func joinChoices(before string, choices []string, after string) ([]string, error) {
	var patterns []string
	for _, choice := range choices {
		expanded, err := expandBraces(before + choice + after)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, expanded...)
		if len(patterns) > maxAlternatives {
			return nil, fmt.Errorf("the braces stand for more than %d patterns", maxAlternatives)
		}
	}
	return patterns, nil
}
