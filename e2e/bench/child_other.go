//go:build !linux

package main

import "syscall"

// childAttributes leave the children in the bench's process group, so that what ends the group ends them.
func childAttributes() *syscall.SysProcAttr { return nil }
