//go:build !linux

package source

import (
	"io/fs"
	"time"
)

// changeTime is when the file's content last changed.
func changeTime(info fs.FileInfo) time.Time { return info.ModTime() }
