package e2e

import (
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

// Ports are taken from below the range out of which systems give ports to outgoing connections, so that nothing
// takes one between its choice here and its use by a child. Each is handed out once.
const (
	firstPort = 20000
	portCount = 10000
)

var ports = struct {
	sync.Mutex
	next int
}{next: os.Getpid() * 97 % portCount}

// freePort is a loopback port on which nothing listens.
func freePort(t *testing.T) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range portCount {
		port := firstPort + ports.next
		ports.next = (ports.next + 1) % portCount
		listener, err := net.Listen("tcp", loopback(port))
		if err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// loopback is the address of a port on this machine.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
