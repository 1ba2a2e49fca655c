package main

import (
	_ "embed" // the file that init writes
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

//go:embed shortest.hcl
var shortest []byte

// initName is the file that init writes into a directory.
const initName = "weir.hcl"

const initLong = `Writes the shortest useful configuration: one gateway on port 8080 in front of two nodes.

PATH is a directory, which gets a file weir.hcl, or a file that ends with .hcl. Missing directories are made.
Nothing is ever overwritten, and nothing is added to a directory that holds a configuration already.`

func (a *app) initCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:     "init [PATH]",
		Short:   "Write a first configuration",
		Long:    initLong,
		Example: "  weir init gateway && weir run gateway",
		Args:    onePath,
	}
	configFlag(cmd, &path)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := pathOnDisk(cmd, args, &path); err != nil {
			return err
		}
		file, err := writeFirst(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "wrote %s; edit its nodes, then start the gateway with: weir run %s\n", file, path)
		return nil
	}
	return cmd
}

// writeFirst writes the shortest file and returns its name.
func writeFirst(path string) (string, error) {
	if strings.HasSuffix(path, ".hcl.json") {
		return "", fmt.Errorf("init: the first file is in native syntax, and %s ends as one in JSON does: name a directory, or a file that ends with .hcl", path)
	}
	file, directory := filepath.Join(path, initName), path
	if strings.HasSuffix(path, ".hcl") && !isDirectory(path) {
		file, directory = path, filepath.Dir(path)
	}
	if err := holdsNothing(directory); err != nil {
		return "", err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return "", fmt.Errorf("init: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("init: %s is there already; nothing was written", file)
	}
	if err != nil {
		return "", fmt.Errorf("init: %w", err)
	}
	_, err = f.Write(shortest)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(file) // the half of it that fitted on a full disk would be in the way of the next try
		return "", fmt.Errorf("init: %w", err)
	}
	return file, nil
}

// holdsNothing refuses a directory with a configuration: the names of the new file could be taken, and even where
// they are not, nobody asks for an example in the middle of their gateway.
func holdsNothing(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("init: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json")) {
			return fmt.Errorf("init: %s holds a configuration already (%s); nothing was written", directory, name)
		}
	}
	return nil
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
