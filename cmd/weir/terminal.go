package main

import (
	"io"
	"os"

	"github.com/moby/term"
)

// terminal says how wide a stream is for people, and whether it takes colour. A stream that is no terminal is
// neither: its width is 0, which leaves lines as long as they are.
func (a *app) terminal(w io.Writer) (color bool, width uint) {
	if l, ok := w.(*lockedWriter); ok {
		w = l.w
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return false, 0
	}
	if size, err := term.GetWinsize(f.Fd()); err == nil {
		width = uint(size.Width)
	}
	return a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb", width
}
