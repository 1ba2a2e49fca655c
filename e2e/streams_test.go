package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// choir is how nodes answer with a line whenever they are told to, on all the streams that they have.
type choir struct {
	mu     sync.Mutex
	line   int
	sung   chan struct{} // closed when there is a further line
	ending chan struct{}
}

func newChoir(t *testing.T) *choir {
	c := &choir{sung: make(chan struct{}), ending: make(chan struct{})}
	t.Cleanup(func() { close(c.ending) }) // a node does not end before its requests
	return c
}

func (c *choir) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/stream" {
		return
	}
	for {
		c.mu.Lock()
		line, next := c.line, c.sung
		c.mu.Unlock()
		fmt.Fprintln(w, line)
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-next:
		case <-c.ending:
			return
		}
	}
}

// sing has every stream get a further line.
func (c *choir) sing() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line++
	close(c.sung)
	c.sung = make(chan struct{})
	return c.line
}

// An answer that goes on and on outlives edits of all that is on its way: a weight of 0, what is said of the upstream, a cluster of another
// kind, and the upstream's end.
func TestStreamsOutliveEdits(t *testing.T) {
	t.Parallel()
	const streams = 8
	nodes, port, sing := newNodes(t, 2), freePort(t), newChoir(t)
	for _, n := range nodes {
		n.behave(sing.ServeHTTP)
	}
	named := strings.Replace(nodes[0].address, "127.0.0.1", "localhost", 1)
	edits := 0
	text := func(upstream string) string {
		edits++
		content := strings.Replace(shop(port, upstream), "backend { upstream = upstream.orders }",
			"backend {\n      upstream = upstream.orders\n      timeout  = \"0s\"\n    }", 1)
		return content + mock("mark", "/mark", fmt.Sprint(edits))
	}
	both := weighted(nodes, 1, 1)
	g := runWeir(t, newDirectory(t, files{"gateway.hcl": text(both)}))
	awaitAnswer(t, startBound, port, "/mark", "1")

	var open []*bufio.Reader
	for range streams {
		client := newClient(nil)
		client.Timeout = 0
		t.Cleanup(client.CloseIdleConnections)
		response, err := client.Get("http://" + loopback(port) + "/stream")
		must(t, err)
		t.Cleanup(func() { response.Body.Close() })
		open = append(open, bufio.NewReader(response.Body))
	}
	flows := func(after string, from int) int {
		to := sing.sing()
		for i, stream := range open {
			for line := from; line <= to; line++ {
				if got, err := stream.ReadString('\n'); err != nil || got != fmt.Sprintln(line) {
					t.Fatalf("after %s: stream %d ends with %q, %v", after, i, got, err)
				}
			}
		}
		return to + 1
	}
	next := flows("nothing", 0)
	for _, edit := range []struct{ name, upstream string }{
		{"weight 0", weighted(nodes, 0, 1)},
		{"a retry less", both + "  retries = 4\n"},
		{"another algorithm", both + "  load_balancing = \"ring_hash\"\n  hash_key { source_address = true }\n"},
		{"a health check", both + "  health_check { type = \"tcp\" }\n"},
		{"a name", strings.Replace(both, nodes[0].address, named, 1)},
		{"weight 0 of a name", strings.Replace(weighted(nodes, 0, 1), nodes[0].address, named, 1)},
		{"addresses", both},
	} {
		g.save(t, "gateway.hcl", text(edit.upstream))
		awaitAnswer(t, editBound, port, "/mark", fmt.Sprint(edits))
		for range 20 {
			must(t, request{port: port, path: "/"}.wants(http.StatusOK, ""))
		}
		next = flows(edit.name, next)
	}
	g.save(t, "gateway.hcl", fill(edgeText, "port", port)+mock("mark", "/mark", "gone"))
	awaitAnswer(t, editBound, port, "/mark", "gone")
	flows("the end of the upstream", next)
}
