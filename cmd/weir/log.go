package main

import (
	"io"
	"log/slog"
)

// newLogger writes to w; level and format are words of --log-level and --log-format.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	o := slog.HandlerOptions{Level: levels[level]}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, &o))
	}
	return slog.New(slog.NewTextHandler(w, &o))
}

var levels = map[string]slog.Level{
	"debug": slog.LevelDebug,
	"info":  slog.LevelInfo,
	"warn":  slog.LevelWarn,
	"error": slog.LevelError,
}
