package source

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime is when something about the file last changed: its content, or its name.
func changeTime(info fs.FileInfo) time.Time {
	changed := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if c := time.Unix(stat.Ctim.Unix()); c.After(changed) {
			return c
		}
	}
	return changed
}
