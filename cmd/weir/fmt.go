package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/config/source"
)

const fmtLong = `Brings the files of a configuration into their canonical form, in place, and lists those that changed.

PATH is a directory, a file, or "-" to format standard input to standard output. Files that end with .hcl.json are
left alone, and so are files with syntax errors, which are reported. --check changes nothing, lists the files that
are not in canonical form, and ends with status 2 if there are any. --diff shows what changes; it goes with --check.`

// formatter is one call of fmt.
type formatter struct {
	a           *app
	check, diff bool
	different   bool // a file was not in canonical form
	broken      bool // a file could not be read as HCL
}

func (a *app) fmtCommand() *cobra.Command {
	f := &formatter{a: a}
	path := "."
	cmd := &cobra.Command{
		Use:     "fmt [PATH]",
		Short:   "Format the files of a configuration",
		Long:    fmtLong,
		Example: "  weir fmt --check --diff gateway",
		Args:    onePath,
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; end with status 2 if a file would change")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "show what changes, as a unified diff")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := pathArgument(cmd, args, &path); err != nil {
			return err
		}
		format := f.files
		if path == standardInput {
			format = f.standardInput
		}
		if err := format(path); err != nil {
			return err
		}
		switch {
		case f.broken:
			return exit(statusFailed)
		case f.check && f.different:
			return exit(statusDifferent)
		}
		return nil
	}
	return cmd
}

// standardInput formats to standard output. A text with syntax errors leaves it empty.
func (f *formatter) standardInput(string) error {
	text, err := io.ReadAll(f.a.stdin)
	if err != nil {
		return fmt.Errorf("fmt: read standard input: %w", err)
	}
	formatted, ok, err := f.format("<stdin>", text)
	if err != nil || !ok {
		return err
	}
	f.different = !bytes.Equal(text, formatted)
	if f.diff {
		return f.writeDiff("<stdin>", text, formatted)
	}
	if f.check {
		return nil
	}
	_, err = f.a.stdout.Write(formatted)
	return err
}

// files formats every file of a configuration. A file that two names lead to is formatted once.
func (f *formatter) files(path string) error {
	snapshot, err := source.Read(path)
	if err != nil {
		return fmt.Errorf("fmt: %w", err)
	}
	seen := map[string]bool{}
	for _, file := range snapshot.Files {
		target, err := filepath.EvalSymlinks(file.Path)
		if err != nil {
			return fmt.Errorf("fmt: %w", err)
		}
		if seen[target] || strings.HasSuffix(file.Name, ".hcl.json") {
			continue
		}
		seen[target] = true
		if err := f.file(filepath.Join(directoryOf(path, snapshot), file.Name), target, file.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// file formats one file; name is how messages call it, target the file itself.
func (f *formatter) file(name, target string, text []byte) error {
	formatted, ok, err := f.format(name, text)
	if err != nil || !ok || bytes.Equal(text, formatted) {
		return err
	}
	f.different = true
	if _, err := fmt.Fprintln(f.a.stdout, name); err != nil {
		return err
	}
	if f.diff {
		if err := f.writeDiff(name, text, formatted); err != nil {
			return err
		}
	}
	if f.check {
		return nil
	}
	if err := replaceFile(target, formatted); err != nil {
		return fmt.Errorf("fmt: %w", err)
	}
	return nil
}

// format returns the canonical form, or reports why there is none and returns false.
func (f *formatter) format(name string, text []byte) (formatted []byte, ok bool, err error) {
	if len(text) == 0 {
		return nil, true, nil
	}
	if broken := config.Syntax(name, text); broken.HasErrors() {
		f.broken = true
		return nil, false, f.a.writeDiagnostics(f.a.stderr, broken)
	}
	return hclwrite.Format(text), true, nil
}

func (f *formatter) writeDiff(name string, before, after []byte) error {
	_, err := f.a.stdout.Write(diff.Diff("a/"+filepath.ToSlash(name), before, "b/"+filepath.ToSlash(name), after))
	return err
}
