package main

import "syscall"

// childAttributes keep a Ctrl-C in the terminal for the bench alone, which stops its children in order, and have the
// kernel end them when the bench is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
