package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// limitFaults are those of what a machine gives.
var limitFaults = []fault{
	{"weir has no file descriptor left", "it takes no connection and reads no file, and says so; what served serves on, and the waiting edit is live when there are descriptors again", descriptorsAreGone},
	{"weir gets too little memory for its configuration (64 MB, and a file that takes more)", "the kernel kills it and whoever runs it starts it again; Envoy serves on, and the next edit that fits is live", memoryIsShort},
}

// pid is the process of the gateway's weir.
func (g *gateway) pid() int { return g.cmd.Process.Pid }

// residentMB is how much memory a process has.
func residentMB(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kB, err := strconv.Atoi(strings.Fields(rest + " none")[0])
	must(t, err)
	return kB / 1024
}

// descriptors is how many files and connections a process has open.
func descriptors(t *testing.T, pid int) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	must(t, err)
	return len(open)
}

// limitDescriptors sets how many a process may have.
func limitDescriptors(t *testing.T, pid, most int) {
	t.Helper()
	output, err := exec.Command("prlimit", "--pid", strconv.Itoa(pid), fmt.Sprintf("--nofile=%d:", most)).CombinedOutput()
	if err != nil {
		t.Fatalf("prlimit: %v\n%s", err, output)
	}
}

func descriptorsAreGone(t *testing.T) result {
	s := startStand(t)
	l := press(t, s.call())
	limit := descriptors(t, s.pid()) + 3
	limitDescriptors(t, s.pid(), limit)
	// Connections take those that are left, and stay; more wait in the kernel's queue.
	var held []net.Conn
	for range 20 {
		connection, err := net.Dial("tcp", s.admin)
		must(t, err)
		held = append(held, connection)
	}
	eventually(t, startBound, "weir has none left", func() error {
		open := descriptors(t, s.pid())
		return hold(open >= limit, "%d of %d", open, limit)
	})
	// weir ends connections that ask for nothing, and the next ones in the queue take their place: in between it may get a
	// descriptor and read. So what is held is that it says when it cannot; it does so once for as long as it lasts.
	s.next(t)
	s.awaitOutput(t, startBound, "too many open files")
	l.hold(time.Second)
	for _, connection := range held {
		connection.Close()
	}
	closed := time.Now()
	s.newest(t)
	took := time.Since(closed)
	limitDescriptors(t, s.pid(), 1024)
	s.next(t)
	s.newest(t)
	return result{l.release().none(t), fmt.Sprintf("the edit is live %v after there were some again", round(took))}
}

func memoryIsShort(t *testing.T) result {
	c := newCluster(t, "main")
	c.run(t, backendPart("node-a"), backendPart("node-b"))
	dir := newDirectory(t, files{"gateway.hcl": fill(containerText, "a", 1, "b", 0)})
	small := weirPart("weir", dir, "/conf")
	small.memory, small.restarts = 64<<20, true
	c.run(t, small)
	r := request{port: c.envoy(t, "envoy", "weir"), path: "/"}
	eventually(t, startBound, "node-a answers", answeredByNodes(r, "node-a"))
	l := press(t, r)
	heavy := filepath.Join(dir, "heavy.hcl")
	var text strings.Builder
	for i := range 40_000 {
		text.Write(manyText(i, 1))
	}
	renameFile(t, heavy, text.String())
	id := c.container("weir").GetContainerID()
	eventually(t, startBound, "the kernel has killed weir", func() error {
		restarts := docker(t, "inspect", "--format", "{{.RestartCount}}", id)
		return hold(restarts != "0", "it has been started again %s times", restarts)
	})
	l.hold(500 * time.Millisecond)
	must(t, answeredByNodes(r, "node-a")())
	must(t, os.Remove(heavy))
	renameFile(t, filepath.Join(dir, "gateway.hcl"), fill(containerText, "a", 0, "b", 1))
	eventually(t, time.Minute, "the edit is live", answeredByNodes(r, "node-b"))
	return result{l.release().none(t), "times that weir was started again: " + docker(t, "inspect", "--format", "{{.RestartCount}}", id)}
}
