package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopBound is how long a program may take to end after SIGTERM. weir drains Envoy first, so it is generous.
const stopBound = 20 * time.Second

// process is a child of the test: started, its output collected, ended with the test at the latest.
type process struct {
	name   string
	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed after Wait
	err    error         // Wait's, valid once ended is closed
}

// output collects what a program writes while others read it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is everything written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs a program until the test ends. Its output is kept when the test failed.
func start(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, cmd: cmd, output: new(output), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if cmd.Env == nil {
		cmd.Env = environment()
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.end()
		if t.Failed() {
			keepOutput(t, p)
		}
	})
	return p
}

// end makes sure that the process is gone, kindly at first.
func (p *process) end() {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if p.cmd.Process.Signal(signal) != nil {
			break // it ended already
		}
		select {
		case <-p.ended:
			return
		case <-time.After(stopBound):
		}
	}
	<-p.ended
}

// stop sends SIGTERM and holds the process to exit status 0 and to leaving no child behind.
func (p *process) stop(t *testing.T) {
	t.Helper()
	children := descendants(p.cmd.Process.Pid)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("%s has ended before it was told to: %v", p.name, err)
	}
	p.await(t, stopBound)
	if p.err != nil {
		t.Errorf("%s after SIGTERM: %v, want exit status 0", p.name, p.err)
	}
	eventually(t, stopBound, "children of "+p.name+" end with it", func() error {
		return noneAlive(children)
	})
}

// await waits until the process has ended by itself.
func (p *process) await(t *testing.T, bound time.Duration) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(bound):
		t.Fatalf("%s has not ended after %v", p.name, bound)
	}
}

// kill ends the process as the kernel does when memory is short: without a word.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatalf("killing %s: %v", p.name, err)
	}
	p.await(t, stopBound)
}

// running says whether the process has not ended yet.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// awaitOutput waits until the process has written every one of the words, in any order.
func (p *process) awaitOutput(t *testing.T, bound time.Duration, words ...string) {
	t.Helper()
	eventually(t, bound, p.name+" says "+strings.Join(words, ", "), func() error {
		return containsAll(p.output.String(), words...)
	})
}

// containsAll is nil when the text holds every one of the words.
func containsAll(text string, words ...string) error {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return fmt.Errorf("no %q in:\n%s", word, text)
		}
	}
	return nil
}

// environment is the test's own without weir's variables: a developer's settings must not decide a test.
func environment(more ...string) []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WEIR_") {
			kept = append(kept, variable)
		}
	}
	return append(kept, more...)
}

// command is what a finished program left: its streams and its exit status.
type command struct {
	stdout, stderr string
	status         int
}

// weir runs a command of weir to its end.
func weir(t *testing.T, arguments ...string) command {
	t.Helper()
	cmd := exec.Command(weirBinary, arguments...)
	cmd.Env = environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("weir %s: %v", strings.Join(arguments, " "), err)
	}
	return command{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must holds the command to success.
func (c command) must(t *testing.T) command {
	t.Helper()
	if c.status != 0 {
		t.Fatalf("exit status %d, want 0\n%s%s", c.status, c.stdout, c.stderr)
	}
	return c
}

// descendants are the pids below a process, children of children included.
func descendants(pid int) []int {
	children := make(map[int][]int)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if child, parent, _, ok := readStat(path); ok {
			children[parent] = append(children[parent], child)
		}
	}
	var all []int
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		all = append(all, children[queue[0]]...)
		queue = append(queue, children[queue[0]]...)
	}
	return all
}

// noneAlive is nil when all of the processes have ended. One that waits to be reaped has ended: in a container the
// first process may never reap it.
func noneAlive(pids []int) error {
	for _, pid := range pids {
		_, _, state, ok := readStat("/proc/" + strconv.Itoa(pid) + "/stat")
		if ok && state != "Z" && state != "X" {
			return fmt.Errorf("process %d is alive", pid)
		}
	}
	return nil
}

// readStat reads pid, parent and state. The name in between is in parentheses and may hold anything.
func readStat(path string) (pid, parent int, state string, ok bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, "", false // it ended while we looked
	}
	text := string(data)
	end := strings.LastIndexByte(text, ')')
	if end < 0 {
		return 0, 0, "", false
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 2 {
		return 0, 0, "", false
	}
	pid, _ = strconv.Atoi(strings.Fields(text)[0])
	parent, _ = strconv.Atoi(fields[1])
	return pid, parent, fields[0], true
}
