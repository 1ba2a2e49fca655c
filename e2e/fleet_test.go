package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// envoyOn runs an Envoy of the test's own: on weir's bootstrap, changed by what the test wants else.
func envoyOn(t *testing.T, g *gateway, id string, change func(bootstrap string) string) *process {
	t.Helper()
	admin := loopback(freePort(t))
	bootstrap := weir(t, "bootstrap", "--instance", "edge", "--node-id", id, "--xds-address", g.xds, "--envoy-admin-address", admin).must(t).stdout
	if change != nil {
		bootstrap = change(bootstrap)
	}
	return startEnvoyWith(t, id, admin, bootstrap).process
}

// Over the state-of-the-world protocol, too, edits arrive and lose nothing. It is what an operator's own bootstrap may say.
func TestStateOfTheWorldEnvoy(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	port := freePort(t)
	g := serveWeir(t, newDirectory(t, files{"gateway.hcl": shop(port, plain(nodes[0]))}))
	g.awaitListening(t)
	envoyOn(t, g, "sotw", func(bootstrap string) string {
		if !strings.Contains(bootstrap, "DELTA_GRPC") {
			t.Fatalf("the bootstrap has another protocol already:\n%s", bootstrap)
		}
		return strings.ReplaceAll(bootstrap, "DELTA_GRPC", "GRPC")
	})
	r := request{port: port, path: "/"}
	awaitAnswer(t, startBound, port, "/", "n0")
	l := startLoad(t, r)
	for round := 1; round <= 6; round++ {
		n := nodes[round%2]
		g.edit(t, "gateway.hcl", shop(port, plain(n)), "an edit is seen", answeredByAll(r, n.name))
		renamed := strings.ReplaceAll(shop(port, plain(n)), "orders", fmt.Sprintf("orders_%d", round))
		g.edit(t, "added.hcl", mock("added", fmt.Sprintf("/%d", round), "added"), "an API is seen", answeredBy(request{port: port, path: fmt.Sprintf("/%d", round)}, "added"))
		g.edit(t, "gateway.hcl", renamed, "a rename is taken", answeredByAll(r, n.name))
	}
	l.stop(t)
}

// An Envoy over a Unix socket, which no port gives away.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	folder, err := os.MkdirTemp("", "weir") // a short path: a socket's name has 107 characters at most
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	g := &gateway{path: newDirectory(t, files{"gateway.hcl": fill(edgeText, "port", port) + mock("shop", "/", "over a socket")}),
		admin: loopback(freePort(t)), xds: "unix://" + filepath.Join(folder, "xds.sock")}
	g.process = startWeirAt(t, g, "serve")
	g.awaitListening(t)
	envoyOn(t, g, "socket", nil)
	awaitAnswer(t, startBound, port, "/", "over a socket")
	g.stop(t)
	if _, err := os.Stat(filepath.Join(folder, "xds.sock")); err == nil {
		t.Error("the socket outlives weir")
	}
}
