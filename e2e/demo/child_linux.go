package main

import "syscall"

// childAttributes keep a Ctrl-C in the terminal for the demo alone, which stops its children in order, and have the
// kernel end them when the demo is killed. SIGTERM lets weir stop its Envoy.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
