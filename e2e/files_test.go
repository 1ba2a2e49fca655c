package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fill puts values in the place of their <names>.
func fill(text string, namesAndValues ...any) string {
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		text = strings.ReplaceAll(text, fmt.Sprintf("<%v>", namesAndValues[i]), fmt.Sprint(namesAndValues[i+1]))
	}
	return text
}

// files maps names, relative to a configuration's directory, to texts.
type files map[string]string

// newDirectory writes a configuration into a directory of its own.
func newDirectory(t *testing.T, content files) string {
	t.Helper()
	// Not t.TempDir itself: some tests move the directory away, and a parent that stays makes that a rename.
	dir := filepath.Join(t.TempDir(), "conf")
	for name, text := range content {
		writeFile(t, filepath.Join(dir, name), text)
	}
	return dir
}

// writeFile truncates and writes, in one go, as `>` of a shell does. Folders are made.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// renameFile saves as careful editors do: a new file beside it, renamed over it.
func renameFile(t *testing.T, path, text string) {
	t.Helper()
	beside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".swp")
	must(t, os.WriteFile(beside, []byte(text), 0o644))
	must(t, os.Rename(beside, path))
}

// writeSlowly truncates and writes piece by piece, as a copy over a slow network does.
func writeSlowly(t *testing.T, path string, pieces []string, pause time.Duration) {
	t.Helper()
	file, err := os.Create(path)
	must(t, err)
	defer file.Close()
	for _, piece := range pieces {
		time.Sleep(pause) // the slowness is the subject
		_, err := file.WriteString(piece)
		must(t, err)
	}
}

// swapConfigMap does what the kubelet does with a ConfigMap volume: a new folder, a new link to it, renamed over
// the old link; the visible names are links that never change.
func swapConfigMap(t *testing.T, dir, version string, content files) {
	t.Helper()
	folder := "..v" + version
	must(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
	for name, text := range content {
		writeFile(t, filepath.Join(dir, folder, name), text)
	}
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	must(t, os.Symlink(folder, filepath.Join(dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	for name := range content {
		link := filepath.Join(dir, name)
		if _, err := os.Lstat(link); err != nil {
			must(t, os.Symlink(filepath.Join("..data", name), link))
		}
	}
	if old != "" {
		must(t, os.RemoveAll(filepath.Join(dir, old)))
	}
}

// must fails the test on an error of the test's own doing.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
