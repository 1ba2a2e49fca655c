package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// child is a program that the bench started. Its output goes to a file, which is shown when it ends too early.
type child struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
	end  error         // how; to be read after done
}

// start starts a program; log is a file that is written anew.
func start(name, log, path string, arguments ...string) (*child, error) {
	output, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer output.Close()
	cmd := exec.Command(path, arguments...)
	cmd.Stdout, cmd.Stderr, cmd.Env = output, output, environment()
	cmd.SysProcAttr = childAttributes()
	c := &child{name: name, cmd: cmd, log: log, done: make(chan struct{})}
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
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return c, nil
}

// environment is ours without weir's variables: settings of a developer must not decide a measurement.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WEIR_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// output runs a program to its end and returns what it wrote to standard output.
func output(ctx context.Context, path string, arguments ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, arguments...)
	cmd.Env = environment()
	text, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("%s %s: %w", path, strings.Join(arguments, " "), err)
	}
	return text, nil
}

// stop ends the program, kindly at first, and waits for it.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(10 * time.Second):
		c.kill()
	}
}

// kill ends the program without a word and waits for it. An Envoy with 10,000 clusters takes long to end kindly.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// failed is why waiting for the program was in vain, with the end of what it wrote.
func (c *child) failed(why error) error {
	text, _ := os.ReadFile(c.log)
	return fmt.Errorf("%s: %w; the end of its output:\n%s", c.name, why, text[max(0, len(text)-4000):])
}

// ended is an error when the program is not there any more.
func (c *child) ended() error {
	select {
	case <-c.done:
		return c.failed(fmt.Errorf("ended by itself: %w", errors.Join(c.end, errEarly)))
	default:
		return nil
	}
}

var errEarly = errors.New("it was still needed")
