package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker in a release: -X main.version=v1.2.3.
var version string

// build is what a binary knows about itself.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Print the version of weir",
		Long:              "Prints the version of weir, the commit it was built from, and the Go release that built it.",
		Example:           "  weir version -o json",
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output := outputFlag(cmd, "text", "json")
	cmd.RunE = func(*cobra.Command, []string) error {
		b := thisBuild()
		if output.value == "json" {
			return writeJSON(a.stdout, b)
		}
		_, err := fmt.Fprintln(a.stdout, b)
		return err
	}
	return cmd
}

// String is one line for people.
func (b build) String() string {
	if b.Commit == "" {
		return fmt.Sprintf("weir %s %s %s", b.Version, b.Go, b.System)
	}
	return fmt.Sprintf("weir %s (%s) %s %s", b.Version, b.Commit, b.Go, b.System)
}

// thisBuild is the linker's version, else what the module system noted.
func thisBuild() build {
	b := build{Version: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Commit = s.Value
			}
		}
		if b.Version == "" {
			b.Version = info.Main.Version
		}
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "devel"
	}
	return b
}

// writeJSON is the form of every JSON document on standard output.
func writeJSON(w io.Writer, document any) error {
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
