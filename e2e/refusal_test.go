package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// takenPort is a port of loopback on which somebody listens already, until release.
func takenPort(t *testing.T) (port int, release func()) {
	t.Helper()
	port = freePort(t)
	listener, err := net.Listen("tcp", loopback(port))
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	return port, func() { listener.Close() }
}

// withListener adds a listener to the instance of a text.
func withListener(text, name string, port int) string {
	listener := fmt.Sprintf("  listener %q {\n    address = \"127.0.0.1\"\n    port    = %d\n  }\n", name, port)
	return strings.Replace(text, "  listener \"http\" {", listener+"  listener \"http\" {", 1)
}

// What Envoy refuses is withdrawn: all of what served before serves on, also after Envoy was killed, the message names
// the block, and an edit that mends it is live.
func TestListenerPortTaken(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	r := request{port: port, path: "/"}
	l := startLoad(t, r)
	taken, _ := takenPort(t)
	g.save(t, "gateway.hcl", withListener(shop(port, plain(nodes[1])), "more", taken))
	g.awaitOutcome(t, "refused", "gateway.hcl:5", strconv.Itoa(taken))
	eventually(t, editBound, "what served before serves", answeredByAll(r, "n0"))
	l.stop(t)
	must(t, syscall.Kill(g.envoyOf(t, "edge"), syscall.SIGKILL))
	eventually(t, startBound, "a new Envoy has what served before", answeredByAll(r, "n0"))

	free := freePort(t)
	g.save(t, "gateway.hcl", withListener(shop(port, plain(nodes[1])), "more", free))
	awaitAnswer(t, editBound, free, "/", "n1")
	eventually(t, editBound, "the whole edit is seen", answeredByAll(r, "n1"))
	g.awaitOutcome(t, "applied")
}

// A refused edit takes nothing away, not for a moment: a listener that it leaves out takes every new connection.
func TestRefusedEditRemovesNoListener(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	free := freePort(t)
	taken, _ := takenPort(t)
	good, bad := withListener(shop(port, plain(n)), "more", free), withListener(shop(port, plain(n)), "bad", taken)
	g.save(t, "gateway.hcl", good)
	awaitAnswer(t, editBound, free, "/", "n0")
	for range 10 {
		g.save(t, "gateway.hcl", bad)
		for range 20 {
			must(t, request{port: free, path: "/"}.wants(http.StatusOK, "n0"))
		}
		g.awaitOutcome(t, "refused", strconv.Itoa(taken))
		g.save(t, "gateway.hcl", good)
		g.awaitOutcome(t, "unchanged")
	}
}

// The first configuration of all is refused: log and status say so, also after an edit of something else. Once the
// port is free, a reload offers it again.
func TestListenerPortTakenAtStart(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	taken, release := takenPort(t)
	g := runWeir(t, newDirectory(t, files{"gateway.hcl": shop(taken, plain(n))}))
	g.awaitListening(t)
	g.awaitOutcome(t, "refused", "gateway.hcl:5", strconv.Itoa(taken))
	before, err := g.status()
	must(t, err)
	free := freePort(t)
	g.save(t, "gateway.hcl", withListener(shop(taken, plain(n)), "more", free))
	awaitAnswer(t, editBound, free, "/", "n0")
	eventually(t, 2*editBound, "the edit has ended", func() error {
		after, err := g.status()
		if err == nil && after.LastAttempt.At.Equal(before.LastAttempt.At) {
			err = fmt.Errorf("the last attempt is still that of %v", before.LastAttempt.At)
		}
		return err
	})
	g.awaitOutcome(t, "refused", strconv.Itoa(taken))
	release()
	weir(t, "reload", "--admin-address", g.admin).must(t)
	awaitAnswer(t, editBound, taken, "/", "n0")
	g.awaitOutcome(t, "applied")
}

// What one instance's Envoy refuses does not keep an edit from another instance.
func TestRefusalStaysWithItsInstance(t *testing.T) {
	t.Parallel()
	port, other := freePort(t), freePort(t)
	otherText := func(body string) string {
		text := strings.Replace(fill(edgeText, "port", other)+mock("other", "/", body), "vpc \"main\" {}\n", "", 1)
		return strings.ReplaceAll(strings.ReplaceAll(text, "instance.edge", "instance.other"), `instance "edge"`, `instance "other"`)
	}
	edgeText := func(body string) string { return fill(edgeText, "port", port) + mock("edge", "/", body) }
	g := runWeir(t, newDirectory(t, files{"edge.hcl": edgeText("one"), "other.hcl": otherText("one")}))
	edge, beside := request{port: port, path: "/"}, request{port: other, path: "/"}
	awaitAnswer(t, startBound, port, "/", "one")
	awaitAnswer(t, startBound, other, "/", "one")
	taken, _ := takenPort(t)
	g.save(t, "edge.hcl", withListener(edgeText("two"), "more", taken))
	g.awaitOutcome(t, "refused", "edge.hcl:5", strconv.Itoa(taken))
	eventually(t, editBound, "what served before serves", answeredBy(edge, "one"))
	g.edit(t, "other.hcl", otherText("two"), "the other instance follows its edit", answeredBy(beside, "two"))
	must(t, edge.wants(http.StatusOK, "one"))
	g.edit(t, "edge.hcl", edgeText("three"), "the mended instance follows", answeredBy(edge, "three"))
	must(t, beside.wants(http.StatusOK, "two"))
}

// An Envoy that ends at once is started again and again, ever more slowly; weir says why, and stops when told to.
func TestEnvoyThatAlwaysEnds(t *testing.T) {
	t.Parallel()
	script := "#!/bin/sh\ncase $* in --version) echo 'envoy  version: 0123456789/1.40.0/Clean/RELEASE/BoringSSL';; *) echo 'no room on this machine' >&2; exit 3;; esac\n"
	path := filepath.Join(t.TempDir(), "envoy")
	must(t, os.WriteFile(path, []byte(script), 0o755))
	g := startWeir(t, "run", newDirectory(t, files{"gateway.hcl": fill(edgeText, "port", freePort(t))}), "--envoy-path", path)
	g.awaitListening(t)
	g.awaitOutput(t, editBound, "envoy ended and is started again", "no room on this machine")
	eventually(t, editBound, "it is tried again", func() error {
		s, err := g.status()
		if err != nil {
			return err
		}
		return hold(len(s.Envoys) == 1 && s.Envoys[0].Restarts >= 2, "Envoys are %+v", s.Envoys)
	})
	if again := strings.Count(g.output.String(), "is started again"); again > 20 {
		t.Errorf("Envoy was started %d times in a moment", again)
	}
}

// A thousand upstreams: an edit of one of them is seen as quickly as one alone, and loses nothing.
func TestThousandUpstreams(t *testing.T) {
	t.Parallel()
	const many = 1000
	nodes := newNodes(t, 2)
	port := freePort(t)
	content := files{"edge.hcl": fill(edgeText, "port", port)}
	one := func(i int, n *node) string {
		return fmt.Sprintf("upstream \"u%d\" {\n  vpc = vpc.main\n%s}\nservice \"s%d\" {\n  instance = instance.edge\n  api \"a\" {\n    path = \"/%d/{id}\"\n"+
			"    backend { upstream = upstream.u%d }\n  }\n}\n", i, plain(n), i, i, i)
	}
	for i := range many {
		content[fmt.Sprintf("u%d.hcl", i)] = one(i, nodes[0])
	}
	g := runWeir(t, newDirectory(t, content))
	last := request{port: port, path: fmt.Sprintf("/%d/x", many-1)}
	eventually(t, startBound, "a large configuration answers", answeredByAll(last, "n0"))
	l := startLoad(t, request{port: port, path: "/0/x"})
	for round := 1; round <= 4; round++ {
		n := nodes[round%2]
		g.edit(t, fmt.Sprintf("u%d.hcl", many-1), one(many-1, n), "an edit of one of many is seen", answeredByAll(last, n.name))
	}
	g.edit(t, "added.hcl", one(many, nodes[1]), "one more is seen", answeredByAll(request{port: port, path: fmt.Sprintf("/%d/x", many)}, "n1"))
	l.stop(t)
}
