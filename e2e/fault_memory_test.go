package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// memoryFaults are those of an Envoy that gets little memory.
var memoryFaults = []fault{
	{"callers take large answers and do not read them, in an Envoy of 300 MB with `--max-heap-size 100MiB`", "Envoy answers 503 to new requests while its memory is full, is not killed, and serves all again when those callers have gone", memoryIsLimited},
	{"the same without `--max-heap-size`", "the kernel kills Envoy and whoever runs it starts it again; what is sent while its port is closed fails", memoryIsNotLimited},
}

// cramped is a gateway in containers whose Envoy has little memory.
type cramped struct {
	*cluster
	port int
}

func startCramped(t *testing.T, flags ...string) *cramped {
	t.Helper()
	c := &cramped{cluster: newCluster(t, "main")}
	c.run(t, backendPart("node-a"), backendPart("node-b"))
	dir := newDirectory(t, files{"gateway.hcl": fill(containerText, "a", 1, "b", 1)})
	c.run(t, weirPart("weir", dir, "/conf"))
	bootstrap := weir(t, append([]string{"bootstrap", "--instance", "edge", "--node-id", "cramped", "--xds-address", fmt.Sprintf("weir:%d", xdsPort),
		"--envoy-admin-address", fmt.Sprintf("0.0.0.0:%d", envoyAdminPort)}, flags...)...).must(t)
	p := bareEnvoyPart(t, "envoy", bootstrap.stdout)
	p.memory, p.restarts, p.port = 300<<20, true, freePort(t)
	c.run(t, p)
	c.port = c.proxied(t, "envoy")
	eventually(t, startBound, "the nodes answer", answeredByNodes(c.call(), "node-a", "node-b"))
	return c
}

func (c *cramped) call() request { return request{port: c.port, path: "/"} }

// gorge has callers, one after the other, ask for answers of 4 MB without reading them, until they are told to go. Each has
// Envoy hold about 1 MB, which takes a moment; those who come meanwhile are let in.
func (c *cramped) gorge(t *testing.T, callers int) (leave func()) {
	t.Helper()
	address := net.JoinHostPort(c.address(t, "envoy", "main"), fmt.Sprint(gatewayPort))
	var held []net.Conn
	leave = func() {
		for _, connection := range held {
			connection.Close()
		}
	}
	t.Cleanup(leave)
	arrive := time.NewTicker(40 * time.Millisecond)
	defer arrive.Stop()
	for len(held) < callers {
		<-arrive.C
		connection, err := net.DialTimeout("tcp", address, startBound)
		if err != nil {
			return leave // Envoy is gone
		}
		held = append(held, connection)
		_ = connection.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprint(connection, "GET / HTTP/1.1\r\nHost: shop\r\nX-Fault: size=4000000\r\n\r\n")
	}
	return leave
}

// restarts is how often the engine has started Envoy again.
func (c *cramped) restarts(t *testing.T) string {
	t.Helper()
	return docker(t, "inspect", "--format", "{{.RestartCount}}", c.container("envoy").GetContainerID())
}

func memoryIsLimited(t *testing.T) result {
	c := startCramped(t, "--max-heap-size", "100MiB")
	l := press(t, c.call())
	l.hold(500 * time.Millisecond)
	leave := c.gorge(t, 200)
	l.hold(time.Second)
	leave()
	left := time.Now()
	eventually(t, startBound, "the nodes answer again", answeredByNodes(c.call(), "node-a", "node-b"))
	took := time.Since(left)
	well := time.Now()
	l.hold(time.Second)
	if n := c.restarts(t); n != "0" {
		t.Errorf("Envoy was started again %s times", n)
	}
	counts := l.release().noneAfter(t, well)
	shed := 0
	for _, f := range counts.failures {
		if strings.HasPrefix(f.what, "503 ") {
			shed++
		}
	}
	if shed == 0 {
		t.Errorf("Envoy has answered no request with 503: its memory did not fill, or %s", describe(counts.failures))
	}
	return result{counts, fmt.Sprintf("all is answered again %v after those callers left", round(took))}
}

func memoryIsNotLimited(t *testing.T) result {
	c := startCramped(t)
	l := press(t, c.call())
	l.hold(500 * time.Millisecond)
	leave := c.gorge(t, 600)
	eventually(t, startBound, "Envoy is killed", func() error { n := c.restarts(t); return hold(n != "0", "it was started again %s times", n) })
	leave()
	eventually(t, startBound, "the nodes answer again", answeredByNodes(c.call(), "node-a", "node-b"))
	well := time.Now()
	l.hold(time.Second)
	return result{l.release().noneAfter(t, well), "times that Envoy was started again: " + c.restarts(t)}
}
