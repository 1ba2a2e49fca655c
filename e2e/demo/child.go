package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// child is a program that ends when the demo does.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	end  error         // how; to be read after done
}

// start starts a program whose output goes to stderr.
func start(stderr io.Writer, path string, arguments ...string) (*child, error) {
	cmd := exec.Command(path, arguments...)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.SysProcAttr = childAttributes()
	c := &child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the death signal when the thread that started the child ends, so this one stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.end = cmd.Wait()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return c, nil
}

// err is how the program ended by itself: never nil.
func (c *child) err() error {
	if c.end == nil {
		return errors.New("exit status 0")
	}
	return c.end
}

// stop ends the program, kindly for some time, and waits for it.
func (c *child) stop(patience time.Duration) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}
