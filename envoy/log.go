package envoy

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

// envoyLogFormat makes Envoy's lines easy to take apart: level, component, message.
const envoyLogFormat = "%l\t%n\t%v"

// maxLogLine bounds what is kept of a line without an end.
const maxLogLine = 64 << 10

// logWriter turns what Envoy prints into log lines of ours.
type logWriter struct {
	log *slog.Logger

	mu     sync.Mutex
	rest   []byte     // an unfinished line
	level  slog.Level // of the message that a line continues
	last   string     // see lastError
	hushed bool
}

// newLogWriter takes what comes before Envoy's first line, from the dynamic loader or a program that is no Envoy, as warnings.
func newLogWriter(log *slog.Logger) *logWriter {
	return &logWriter{log: log, level: slog.LevelWarn}
}

// Write takes Envoy's output as it comes.
func (w *logWriter) Write(data []byte) (int, error) {
	w.mu.Lock()
	w.rest = append(w.rest, data...)
	var lines []string
	for {
		end := bytes.IndexByte(w.rest, '\n')
		if end < 0 && len(w.rest) > maxLogLine {
			end = len(w.rest) - 1
		}
		if end < 0 {
			break
		}
		lines = append(lines, string(bytes.TrimRight(w.rest[:end], "\r")))
		w.rest = w.rest[end+1:]
	}
	w.mu.Unlock()
	for _, line := range lines {
		w.line(line)
	}
	return len(data), nil
}

// finish logs what is left when Envoy has ended without ending its line.
func (w *logWriter) finish() {
	w.mu.Lock()
	rest := string(w.rest)
	w.rest = nil
	w.mu.Unlock()
	w.line(rest)
}

// hush is called before Envoy is told to end: from then on its lines say only that it was.
func (w *logWriter) hush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hushed = true
}

// line logs one line of Envoy's. One that is not in envoyLogFormat belongs to the message before it.
func (w *logWriter) line(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	level, component, message := parseLogLine(line)
	w.mu.Lock()
	if level != nil {
		w.level = *level
	}
	if level != nil && *level >= slog.LevelError || w.last == "" {
		w.last = message
	}
	at := w.level
	if w.hushed {
		at = slog.LevelDebug
	}
	w.mu.Unlock()
	w.log.Log(context.Background(), at, "envoy: "+message, "component", component)
}

// lastError is the last error that Envoy printed, or the first thing at all.
func (w *logWriter) lastError() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// parseLogLine takes a line of envoyLogFormat apart; level is nil when it is none.
func parseLogLine(line string) (level *slog.Level, component, message string) {
	parts := strings.SplitN(line, "\t", 3)
	if len(parts) != 3 {
		return nil, "", line
	}
	severity := slog.LevelDebug
	switch parts[0] {
	case "critical", "error":
		severity = slog.LevelError
	case "warning":
		severity = slog.LevelWarn
	case "info":
		severity = slog.LevelInfo
	case "debug", "trace":
	default:
		return nil, "", line
	}
	return &severity, parts[1], parts[2]
}
