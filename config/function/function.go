// Package function is the set of functions that a configuration may call: Terraform's, by name and behaviour.
//
// It promises that a call depends on nothing but its arguments and the files that it reads through Options: no clock,
// no random number, no network, no environment. Marks go through every function, and an error about a sensitive
// argument says nothing of its value. A reference (a value of a capsule type) may be put into collections and taken
// out of them again, but never becomes text. What one call can make is bounded, so that a hostile file gets an error
// and not all the memory.
//
// Left out of Terraform's list, on purpose: timestamp, plantimestamp, uuid, bcrypt (clock and random), abspath and
// pathexpand (facts of the machine), rsadecrypt, base64gzip (its bytes change with the compressor's version),
// textencodebase64 and textdecodebase64, templatestring, type and ephemeralasnull.
package function

import (
	"io/fs"
	"os"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// mark is a type of its own, so that no other package's mark is equal to Sensitive by accident.
type mark string

// Sensitive is the mark that sensitive() sets and nonsensitive() takes away. A variable declared sensitive carries
// the same mark.
const Sensitive = mark("sensitive")

// Options says where functions read files.
//
// Everything that a function reads goes through ReadFile, ReadDir and Stat, also what turns out to be missing, so that the
// caller can record it and watch it: a file that appears later, a new name in a directory that fileset() listed, or a link
// there that leads to something else, must lead to another load. They are given absolute paths below Root whose links are
// not resolved; that the resolved path lies below Root as well has been checked.
type Options struct {
	Root     string                                      // absolute; relative paths start here and nothing outside is read
	ReadFile func(absPath string) ([]byte, error)        // nil: os.ReadFile; should refuse what is not a regular file
	ReadDir  func(absPath string) ([]fs.DirEntry, error) // nil: os.ReadDir
	Stat     func(absPath string) (fs.FileInfo, error)   // nil: os.Stat
	Meter    *Meter                                      // of the load, for templates in files; nil: one for each template
}

func (o Options) readFile(path string) ([]byte, error) {
	if o.ReadFile == nil {
		return os.ReadFile(path)
	}
	return o.ReadFile(path)
}

func (o Options) readDir(path string) ([]fs.DirEntry, error) {
	if o.ReadDir == nil {
		return os.ReadDir(path)
	}
	return o.ReadDir(path)
}

func (o Options) stat(path string) (fs.FileInfo, error) {
	if o.Stat == nil {
		return os.Stat(path)
	}
	return o.Stat(path)
}

// Table returns the functions by name. The map is the caller's.
func Table(o Options) map[string]function.Function {
	table := pureTable()
	for name, e := range fileEntries(o) {
		table[name] = guard(e)
	}
	table["templatefile"] = guard(entry{fn: templateFileFunc(o), refs: true})
	return table
}

// pureTable holds the functions that read no file.
func pureTable() map[string]function.Function {
	table := map[string]function.Function{
		// They take expressions, not values: what happens inside of them is guarded where it happens.
		"can": tryfunc.CanFunc,
		"try": tryfunc.TryFunc,
	}
	for _, entries := range []map[string]entry{
		numericEntries, textEntries, collectionEntries, encodingEntries, hashEntries, addressEntries,
		conversionEntries, dateEntries,
	} {
		for name, e := range entries {
			table[name] = guard(e)
		}
	}
	return table
}

// Names returns the names of all functions, sorted.
func Names() []string {
	table := Table(Options{})
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Env returns env("NAME"), which looks a variable up in environ (in the form of os.Environ). A variable that is not
// set gives null, which is the same as not saying it: coalesce(env("X"), "default") works. It is not part of Table,
// because it may stand only in the default of a variable.
func Env(environ []string) function.Function {
	values := make(map[string]string, len(environ))
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			values[name] = value
		}
	}
	return guard(entry{fn: function.New(&function.Spec{
		Description: "The value of a variable of weir's environment, or null.",
		Params:      []function.Parameter{{Name: "name", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			value, ok := values[args[0].AsString()]
			if !ok {
				return cty.NullVal(cty.String), nil
			}
			return cty.StringVal(value), nil
		},
	})})
}

var numericEntries = map[string]entry{
	"abs":      {fn: stdlib.AbsoluteFunc},
	"ceil":     {fn: stdlib.CeilFunc},
	"floor":    {fn: stdlib.FloorFunc},
	"log":      {fn: stdlib.LogFunc},
	"max":      {fn: stdlib.MaxFunc},
	"min":      {fn: stdlib.MinFunc},
	"parseint": {fn: stdlib.ParseIntFunc, limit: limitDigits},
	"pow":      {fn: stdlib.PowFunc},
	"signum":   {fn: stdlib.SignumFunc},
}
