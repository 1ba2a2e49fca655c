package function

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fileEntries are the functions about files; templatefile is added by Table.
func fileEntries(o Options) map[string]entry {
	entries := map[string]entry{
		"basename": {fn: textFunc("path", func(path string) (string, error) { return filepath.Base(path), nil })},
		"dirname":  {fn: textFunc("path", func(path string) (string, error) { return filepath.Dir(path), nil })},
		"file": {fn: textFunc("path", func(path string) (string, error) {
			data, err := o.read(path)
			if err == nil && !utf8.Valid(data) {
				return "", fmt.Errorf("%q: %w (filebase64 reads it)", path, errNotUTF8)
			}
			return string(data), err
		})},
		"filebase64": {fn: o.dataFunc(base64.StdEncoding.EncodeToString)},
		"fileexists": {fn: fileExistsFunc(o)},
		"fileset":    {fn: fileSetFunc(o)},
	}
	for name, d := range digests {
		fileName := "file" + name
		if rest, ok := strings.CutPrefix(name, "base64"); ok {
			fileName = "filebase64" + rest
		}
		entries[fileName] = entry{fn: o.dataFunc(d.of)}
	}
	return entries
}

// dataFunc makes a function from a file's bytes to text.
func (o Options) dataFunc(convert func([]byte) string) function.Function {
	return textFunc("path", func(path string) (string, error) {
		data, err := o.read(path)
		if err != nil {
			return "", err
		}
		return convert(data), nil
	})
}

func fileExistsFunc(o Options) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			_, err := o.read(args[0].AsString())
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.BoolVal(err == nil), nil
		},
	})
}

// read returns the bytes of a file below the root.
func (o Options) read(path string) ([]byte, error) {
	absolute, err := o.locate(path)
	if err != nil {
		return nil, err
	}
	data, err := o.readFile(absolute)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", path, plainCause(err))
	}
	if len(data) > maxText {
		return nil, fmt.Errorf("%q has more than %d bytes", path, maxText)
	}
	return data, nil
}

// plainCause takes the operation and the path off an error of the file system, which are said already. The path would
// be that of this machine, too.
func plainCause(err error) error {
	var about *fs.PathError
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}

// locate returns the absolute path of what an operator wrote, and refuses what lies outside of the root, also by way
// of a link. The links stay in the path: whoever watches it must notice when one of them is turned.
func (o Options) locate(path string) (string, error) {
	if o.Root == "" {
		return "", errors.New("no files can be read here")
	}
	if strings.ContainsRune(path, 0) {
		return "", errors.New("a path cannot hold a zero byte")
	}
	absolute := path
	if !filepath.IsAbs(path) {
		absolute = filepath.Join(o.Root, path)
	}
	absolute = filepath.Clean(absolute)
	realRoot, err := filepath.EvalSymlinks(o.Root)
	if err != nil {
		return "", fmt.Errorf("cannot find the configuration's directory: %w", plainCause(err))
	}
	realPath, err := resolve(absolute)
	if err != nil {
		return "", fmt.Errorf("cannot find %q: %w", path, plainCause(err))
	}
	if !below(realRoot, realPath) {
		return "", fmt.Errorf("%q is outside of the configuration's directory; functions read only what is inside of it", path)
	}
	return absolute, nil
}

// resolve follows the links of as much of path as there is.
func resolve(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return "", err
	}
	resolved, err = resolve(parent)
	return filepath.Join(resolved, filepath.Base(path)), err
}

// below tells whether path is root or something inside of it; both are resolved.
func below(root, path string) bool {
	relative, err := filepath.Rel(root, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}
