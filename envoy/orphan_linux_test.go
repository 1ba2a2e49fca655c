package envoy

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// asParent is set in the copy of the test binary that plays weir in TestNoOrphan.
const asParent = "WEIR_TEST_ENVOY_PARENT"

// TestNoOrphan kills the parent of a Runner's Envoy without a warning, as the kernel's out-of-memory killer does. Only Linux
// has a signal for the death of a parent.
func TestNoOrphan(t *testing.T) {
	if xds := os.Getenv(asParent); xds != "" {
		playParent(t, xds)
		return
	}
	xds := serveXDS(t, gateway(t, freePort(t), serveNode(t, nil, nil)))
	parent := exec.Command(os.Args[0], "-test.run", "^TestNoOrphan$", "-test.count=1")
	parent.Env = append(os.Environ(), asParent+"="+xds, "TMPDIR="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent said nothing: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(line), "envoy "))
	if err != nil {
		t.Fatalf("the parent said %q", line)
	}
	if !alive(pid) {
		t.Fatalf("envoy %d is not alive before the kill", pid)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // "signal: killed"
	eventually(t, "envoy is gone", func() bool { return !alive(pid) })
}

// playParent runs an Envoy, says its pid, and waits to be killed. The goroutines that come and go would end the thread
// that started Envoy, if nothing held it.
func playParent(t *testing.T, xds string) {
	r := run(t, RunnerOptions{Path: envoyPath(t), Concurrency: 1, Bootstrap: BootstrapOptions{
		Instance: "edge", NodeID: "one", XDSAddress: xds,
	}})
	eventually(t, "ready", func() bool { return r.State().Ready })
	fmt.Printf("envoy %d\n", r.State().PID)
	select {}
}
