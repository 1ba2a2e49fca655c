package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// attempts is how often a file that changes while it is read is read again at once.
const attempts = 5

// errChanging says that a file never stood still. A Watcher waits then; Read gives up.
var errChanging = errors.New("it keeps changing while it is read: try again")

// reading is one look at a file's content.
type reading struct {
	data   []byte
	closed bool // it is known that nobody had the file open for writing when the reading began
}

// readStable reads a file so that the content is of one moment, as far as size and time can tell.
func readStable(path string) (reading, error) {
	for range attempts {
		read, stable, err := readOnce(path)
		if err != nil {
			return reading{}, err
		}
		if stable {
			return read, nil
		}
	}
	return reading{}, &fs.PathError{Op: "read", Path: path, Err: errChanging}
}

func readOnce(path string) (read reading, stable bool, err error) {
	// Without O_NONBLOCK, opening a named pipe waits for a writer, for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return read, false, trouble("read", path, err)
	}
	defer f.Close() //nolint:errcheck // only read from
	before, err := f.Stat()
	if err != nil {
		return read, false, trouble("read", path, err)
	}
	if !before.Mode().IsRegular() {
		return read, false, &fs.PathError{Op: "read", Path: path, Err: errNotRegular(before.Mode())}
	}
	read.closed = nobodyWrites(f)
	read.data, err = readAll(f, before.Size())
	if err != nil {
		return read, false, trouble("read", path, err)
	}
	after, err := f.Stat()
	if err != nil {
		return read, false, trouble("read", path, err)
	}
	stable = before.Size() == after.Size() && before.ModTime().Equal(after.ModTime()) && after.Size() == int64(len(read.data))
	return read, stable, nil
}

func errNotRegular(mode fs.FileMode) error {
	if mode.IsDir() {
		return errors.New("a directory, where a file is needed")
	}
	return errors.New("not a regular file, and weir reads more than once: write it to a file")
}

// readAll reads the rest of f, which is expected to be size bytes, into a buffer that fits.
func readAll(f *os.File, size int64) ([]byte, error) {
	if size > maxFileSize {
		return nil, fmt.Errorf("larger than %d MiB: split it", maxFileSize>>20)
	}
	data := make([]byte, size, size+1)
	n, err := io.ReadFull(f, data)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return data[:n], nil // shorter than it was: not stable, and read again
	}
	return data, err
}
