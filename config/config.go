// Package config turns the operator's files into a model.Configuration, or into diagnostics that a newcomer understands.
//
// It promises that a Configuration is handed out only when every rule of the language holds, that every mistake of a
// load is reported at once and only once, each with the place, the rule and the remedy, and that nothing in the files
// is skipped in silence. Mistakes of the operator are diagnostics of a Result; an error means that reading failed.
// Nothing that is printed holds a sensitive value or a private key.
package config

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/config/source"
	"github.com/weirproxy/weir/model"
)

// Options of a load.
type Options struct {
	Variables lang.Variables

	// Prefix is put before the names of files in messages and places, so that they can be opened from where the
	// operator stands: the PATH that was given, when it is a directory. Load fills it in.
	Prefix string

	// Now is the time at which certificates are to be valid; zero is the present. It decides on nothing but warnings.
	Now time.Time
}

// Result is what a load ended with.
type Result struct {
	Configuration *model.Configuration // nil when there are errors
	Diagnostics   hcl.Diagnostics      // masked; by file and line, those without a place first
	Read          []string             // sorted absolute paths of the files and directories read besides the configuration's, also of missing ones
	Empty         bool                 // the text has no vpc, ccn, instance, upstream or service

	// Since and Until bound the time in which a load of the same files says the same of their certificates' dates; zero: no bound.
	Since, Until time.Time

	source func(name string) *hcl.File // nil where there is no text of the name
	mask   func(string) string
	built  bool // on the last good load of a Loader
}

// Mask is what hides the sensitive values of the configuration in a text. It may be called by several at a time.
func (r *Result) Mask() func(string) string {
	r.mask("") // makes its table
	return r.mask
}

// HasErrors tells whether the configuration is refused. Warnings do not refuse it.
func (r *Result) HasErrors() bool { return r.Diagnostics.HasErrors() }

// Load reads the directory or file at a path. An error means that reading failed.
func Load(name string, o Options) (*Result, error) {
	snapshot, err := source.Read(name)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	if o.Prefix == "" {
		o.Prefix = name
		if snapshot.Single {
			o.Prefix = filepath.Dir(name)
		}
	}
	return FromSnapshot(snapshot, o), nil
}

// FromSnapshot loads files that have been read.
func FromSnapshot(s *source.Snapshot, o Options) *Result {
	files := make([]lang.File, 0, len(s.Files))
	for _, f := range s.Files {
		files = append(files, lang.File{Name: f.Name, Bytes: f.Bytes})
	}
	return load(s.Root, files, o)
}

// FromText loads one text, such as standard input. Its name ends with .hcl.json when it is JSON; relative paths in it
// start at root.
func FromText(name string, text []byte, root string, o Options) *Result {
	return load(root, []lang.File{{Name: name, Bytes: text}}, o)
}

func load(root string, files []lang.File, o Options) *Result {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if abs, err := filepath.Abs(root); err == nil { // it fails only where the working directory is gone
		root = abs
	}
	files = named(o.Prefix, files)
	read := newReads(root)
	module, diags := lang.Load(lang.Input{
		Root: root, Files: withText(files), Kinds: kinds, Variables: o.Variables,
		ReadFile: read.file, ReadDir: read.directory, Stat: read.look,
	})
	l := &loader{module: module, now: o.Now, diags: append(emptyFiles(root, files), diags...)}
	l.decode()
	l.checkAcross()
	result := &Result{
		Diagnostics: l.finish(),
		Read:        read.sorted(),
		Empty:       l.empty(),
		Since:       l.since,
		Until:       l.until,
		source:      sources(module, files),
		mask:        module.Mask,
	}
	if !result.HasErrors() {
		result.Configuration = l.known.configuration()
	}
	return result
}

// withText leaves out the files without a byte, which have a diagnostic of their own.
func withText(files []lang.File) []lang.File {
	return slices.DeleteFunc(slices.Clone(files), func(f lang.File) bool { return len(f.Bytes) == 0 })
}

// emptyFiles reports a configuration that has nothing to read. A file of zero bytes is what a save that has not
// been finished looks like, and taking it for "nothing" would remove what it held.
func emptyFiles(root string, files []lang.File) hcl.Diagnostics {
	if len(files) == 0 {
		return hcl.Diagnostics{withoutSubject(lang.RuleFile, "No configuration files", fmt.Sprintf(
			"No file below %s ends with .hcl or .hcl.json. Write one, or let \"weir init\" do it.", root))}
	}
	var diags hcl.Diagnostics
	for _, f := range files {
		if len(f.Bytes) == 0 {
			start := hcl.Range{Filename: f.Name, Start: hcl.InitialPos, End: hcl.InitialPos}
			diags = append(diags, lang.Error(lang.RuleFile, start, "Empty file",
				"A file of zero bytes is refused, since a file looks like this while it is being saved. Remove the file, or write a comment into it."))
		}
	}
	return diags
}

func withoutSubject(rule lang.Rule, summary, detail string) *hcl.Diagnostic {
	d := lang.Error(rule, hcl.Range{}, summary, detail)
	d.Subject = nil
	return d
}

// named gives files the names that messages print.
func named(prefix string, files []lang.File) []lang.File {
	if prefix == "" {
		return files
	}
	out := slices.Clone(files)
	for i := range out {
		out[i].Name = path.Join(filepath.ToSlash(prefix), out[i].Name)
	}
	return out
}
