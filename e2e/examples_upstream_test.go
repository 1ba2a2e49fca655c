package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// exampleWith runs an example whose listener has port 8080, with nodes of the test's own by the address that the example
// has, and returns the port that takes its place.
func exampleWith(t *testing.T, name string, nodes map[string]*node) (*gateway, int) {
	t.Helper()
	port := freePort(t)
	replace := map[string]string{"port = 8080": fmt.Sprint("port = ", port)}
	for address, n := range nodes {
		replace[`"`+address+`"`] = `"` + n.address + `"`
	}
	return runExample(t, name, madeForExamples(t), replace), port
}

// The example of retries keeps what its comments say.
func TestExampleRetries(t *testing.T) {
	t.Parallel()
	nodes := map[string]*node{}
	for i, address := range []string{"10.0.1.10:8080", "10.0.1.11:8080", "10.0.2.10:8080", "10.0.2.11:8080", "10.0.3.10:8080"} {
		nodes[address] = newNode(t, "n"+string(rune('0'+i)))
	}
	_, port := exampleWith(t, "retries", nodes)
	awaitAnswer(t, startBound, port, "/uploads/1", "n4")
	for _, n := range nodes {
		n.behave(unavailable)
	}
	for _, c := range []struct {
		path     string
		attempts int
		nodes    []string
	}{
		{"/payments/1", 1, []string{"10.0.1.10:8080", "10.0.1.11:8080"}}, // a node has read it
		{"/search?q", 4, []string{"10.0.2.10:8080", "10.0.2.11:8080"}},
		{"/uploads/1", 1, []string{"10.0.3.10:8080"}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			before, after := 0, 0
			for _, address := range c.nodes {
				before += nodes[address].count()
			}
			must(t, request{method: method, port: port, path: c.path}.wants(http.StatusServiceUnavailable, ""))
			for _, address := range c.nodes {
				after += nodes[address].count()
			}
			if after-before != c.attempts {
				t.Errorf("%s %s: %d attempts, want %d", method, c.path, after-before, c.attempts)
			}
		}
	}
	nodes["10.0.1.10:8080"].stop()
	nodes["10.0.1.11:8080"].behave(nil)
	for range 10 {
		must(t, request{method: http.MethodPost, port: port, path: "/payments/1"}.wants(http.StatusOK, "n1"))
	}
}

// The example of limits lets through what it says, and answers the rest at once.
func TestExampleLimits(t *testing.T) {
	t.Parallel()
	const limit, callers = 20, 50
	n := newNode(t, "n0")
	_, port := exampleWith(t, "limits", map[string]*node{"10.0.1.10:8080": n})
	awaitAnswer(t, startBound, port, "/", "n0")
	gate := make(chan struct{})
	n.behave(func(http.ResponseWriter, *http.Request) { <-gate })
	before := n.count()
	results := make(chan int, callers)
	for range callers {
		go func() {
			got, _ := request{method: http.MethodPost, port: port, path: "/"}.try()
			results <- got.status
		}()
	}
	statuses := map[int]int{}
	for range callers - limit - 10 { // those beyond the limit and the line are answered although nobody else is
		statuses[<-results]++
	}
	if statuses[http.StatusServiceUnavailable] != callers-limit-10 {
		t.Errorf("beyond the limit: %v", statuses)
	}
	if got := n.count() - before; got > limit {
		t.Errorf("%d requests are under way at the node, the limit is %d", got, limit)
	}
	close(gate)
	for range limit + 10 {
		statuses[<-results]++
	}
	if statuses[http.StatusOK] == 0 || statuses[http.StatusOK] > limit+10 {
		t.Errorf("answers: %v", statuses)
	}
}
