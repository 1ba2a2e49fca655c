//go:build !linux

package source

import "os"

// nobodyWrites cannot be known here, so a file that took another's place is treated like one that is being written.
func nobodyWrites(*os.File) bool { return false }
