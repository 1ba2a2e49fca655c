package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// replaceFile writes beside the file and renames, so that nobody ever reads a half of it. A file that was there
// keeps its mode, and its owner where weir may give files away; a new one is its owner's alone.
func replaceFile(path string, text []byte) (err error) {
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The name starts with a dot and ends otherwise than a configuration file: no watcher takes it for one.
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}()
	_, err = temporary.Write(text)
	if err == nil && info != nil {
		err = temporary.Chmod(info.Mode().Perm())
		keepOwner(temporary.Name(), info)
	}
	if err == nil {
		err = temporary.Sync()
	}
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	return err
}
