package envoy

import (
	"bytes"
	"io"
)

// lineWriter passes on whole lines, several at once, so that what several Envoys write to one place is not mixed within
// a line. It takes everything, also where nobody takes it any more: an Envoy whose output is not read keeps it in memory.
type lineWriter struct {
	to   io.Writer // nil: nobody
	rest []byte    // an unfinished line
}

// Write takes Envoy's output as it comes.
func (w *lineWriter) Write(data []byte) (int, error) {
	if w.to == nil {
		return len(data), nil
	}
	end := bytes.LastIndexByte(data, '\n') + 1
	if end == 0 && len(w.rest)+len(data) <= maxLogLine {
		w.rest = append(w.rest, data...)
		return len(data), nil
	}
	if end == 0 {
		end = len(data) // no line is as long as this
	}
	lines := append(w.rest, data[:end]...)
	_, _ = w.to.Write(lines)
	w.rest = append(lines[:0], data[end:]...)
	return len(data), nil
}
