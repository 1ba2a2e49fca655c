package e2e

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// node is a server of the private network: it answers with its name and remembers what it was asked.
type node struct {
	name    string
	address string // as a node's label: "127.0.0.1:4711"
	server  *httptest.Server
	log     *output // what the server says about connections that never became requests

	mu       sync.Mutex
	answer   http.HandlerFunc // nil: the node's name
	requests []seen
}

// seen is a request as it arrived at a node.
type seen struct{ Method, Host, URI string }

// newNode starts a plain HTTP node on IPv4 loopback.
func newNode(t *testing.T, name string) *node {
	t.Helper()
	return startNode(t, name, "127.0.0.1:0", nil)
}

// newTLSNode starts an HTTPS node that shows the certificate.
func newTLSNode(t *testing.T, name string, certificate tls.Certificate) *node {
	t.Helper()
	return startNode(t, name, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
}

// startNode listens on an address, with TLS when there is a configuration for it, until the test ends.
func startNode(t *testing.T, name, address string, config *tls.Config) *node {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("node %s: %v", name, err)
	}
	n := &node{name: name, address: listener.Addr().String(), log: new(output)}
	n.server = httptest.NewUnstartedServer(n)
	n.server.Listener.Close()
	n.server.Listener = listener
	n.server.Config.ErrorLog = log.New(n.log, "", 0)
	if config == nil {
		n.server.Start()
	} else {
		n.server.TLS = config
		n.server.StartTLS()
	}
	t.Cleanup(n.stop)
	return n
}

// stop closes the node's port and its connections.
func (n *node) stop() {
	n.server.CloseClientConnections()
	n.server.Close()
}

// ServeHTTP remembers the request and answers it.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	n.requests = append(n.requests, seen{r.Method, r.Host, r.RequestURI})
	answer := n.answer
	n.mu.Unlock()
	w.Header().Set("X-Node", n.name)
	if answer != nil {
		answer(w, r)
		return
	}
	_, _ = io.WriteString(w, n.name)
}

// behave changes what the node answers from now on.
func (n *node) behave(answer http.HandlerFunc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = answer
}

// port is the port in the node's address.
func (n *node) port() string {
	_, port, _ := net.SplitHostPort(n.address)
	return port
}

// arrived are the requests so far.
func (n *node) arrived() []seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.requests)
}

// count is the number of requests so far.
func (n *node) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.requests)
}

// last is the latest request, as it arrived.
func (n *node) last(t *testing.T) seen {
	t.Helper()
	all := n.arrived()
	if len(all) == 0 {
		t.Fatalf("node %s has seen no request", n.name)
	}
	return all[len(all)-1]
}

// unavailable answers as an overloaded server does.
func unavailable(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusServiceUnavailable)
}

// hangUp closes the connection instead of answering.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = connection.Close()
	}
}

// newNodes starts nodes named after their position, "n0" on.
func newNodes(t *testing.T, count int) []*node {
	t.Helper()
	nodes := make([]*node, count)
	for i := range nodes {
		nodes[i] = newNode(t, "n"+strconv.Itoa(i))
	}
	return nodes
}
