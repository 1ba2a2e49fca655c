package envoy

import "syscall"

// childAttributes put the child into a process group of its own, so that a Ctrl-C in the terminal reaches it through
// the drain only, and have the kernel kill it when its parent dies, even by SIGKILL.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
