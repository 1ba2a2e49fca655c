package source

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkRenameSave measures from the rename to the Update, with events, in a directory of one and of many files.
func BenchmarkRenameSave(b *testing.B) {
	for _, files := range []int{1, 1000, 10_000} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			root := b.TempDir()
			for n := range files {
				writeFile(b, filepath.Join(root, fmt.Sprintf("%d/f%d.hcl", n%10, n)), fmt.Sprintf("vpc \"v%d\" {}\n", n))
			}
			w := start(b, Options{Path: root, Poll: time.Hour})
			next(b, w)
			n := 0
			for b.Loop() {
				n++
				renameSave(b, filepath.Join(root, "0/f0.hcl"), fmt.Sprintf("vpc \"v0\" {} # %d\n", n))
				next(b, w)
			}
		})
	}
}

// BenchmarkLargeSave measures the same of one file of 9 MB, saved by rename and in place; the latter waits for it to settle.
func BenchmarkLargeSave(b *testing.B) {
	text := strings.Repeat("vpc \"v\" {\n  description = \"so and so\"\n}\n", 9<<20/43)
	for name, save := range map[string]func(testing.TB, string, string){"rename": renameSave, "in place": writeFile} {
		b.Run(name, func(b *testing.B) {
			root := b.TempDir()
			path := filepath.Join(root, "f.hcl")
			writeFile(b, path, text)
			w := start(b, Options{Path: root, Poll: time.Hour})
			next(b, w)
			n := 0
			for b.Loop() {
				n++
				save(b, path, fmt.Sprintf("# %d\n%s", n, text))
				next(b, w)
			}
		})
	}
}

// BenchmarkPoll measures one look at files that did not change.
func BenchmarkPoll(b *testing.B) {
	root := b.TempDir()
	for n := range 10_000 {
		writeFile(b, filepath.Join(root, fmt.Sprintf("%d/f%d.hcl", n%10, n)), fmt.Sprintf("vpc \"v%d\" {}\n", n))
	}
	o := newObserver(Options{Path: root, Blocks: blockNames})
	o.look(time.Now(), false)
	o.decide(time.Now())
	for b.Loop() {
		o.look(time.Now(), false)
		o.interests()
		if update, _ := o.decide(time.Now()); update != nil {
			b.Fatal("an update where nothing changed")
		}
	}
}
