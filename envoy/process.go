package envoy

import (
	"io"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is one running program, which ends when this one does.
type process struct {
	pid  int
	done chan struct{} // closed when it has ended
	err  error         // how it ended; to be read after done
	cmd  *exec.Cmd
}

// startProcess starts a program.
func startProcess(path string, arguments []string, stdout, stderr io.Writer) (*process, error) {
	cmd := exec.Command(path, arguments...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = childAttributes()
	cmd.WaitDelay = time.Second // a grandchild may hold the pipe open
	p := &process{done: make(chan struct{}), cmd: cmd}
	started := make(chan error)
	go func() {
		// Linux sends the death signal when the thread ends that started the child, not the process: the thread stays
		// with this goroutine until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	return p, nil
}

// signal sends a signal; a process that has ended is none of its concern.
func (p *process) signal(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s)
}
