//go:build !linux

package envoy

import "syscall"

// childAttributes leave the child in the parent's process group: these systems have no death signal, and so at least
// what kills the group takes both.
func childAttributes() *syscall.SysProcAttr {
	return nil
}
