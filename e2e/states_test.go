package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// checkedUpstream is the body of an upstream whose nodes are asked at /health; of the third, whose weight is 0, nobody asks.
func checkedUpstream(nodes []*node) string {
	return weighted(nodes, 1, 1, 0) + `  health_check {
    path                = "/health"
    interval            = "200ms"
    timeout             = "1s"
    healthy_threshold   = 1
    unhealthy_threshold = 1
  }
`
}

// nodeStates are the states of an upstream's nodes, "STATE" or "STATE: PROXY STATE, ...", and why proxies said nothing.
func (g *gateway) nodeStates(upstream string) (states []string, silent map[string]string, err error) {
	_, body, err := g.page("/api/v1/upstreams/" + upstream)
	if err != nil {
		return nil, nil, err
	}
	var document struct {
		Nodes []struct {
			State  string
			States []struct{ Proxy, State string }
		}
		Proxies []struct{ Node, Error string }
	}
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		return nil, nil, err
	}
	for _, n := range document.Nodes {
		var by []string
		for _, s := range n.States {
			by = append(by, s.Proxy+" "+s.State)
		}
		states = append(states, strings.TrimSuffix(n.State+": "+strings.Join(by, ", "), ": "))
	}
	silent = map[string]string{}
	for _, p := range document.Proxies {
		if p.Error != "" {
			silent[p.Node] = p.Error
		}
	}
	return states, silent, nil
}

// states is nil when the nodes are so.
func (g *gateway) states(upstream string, want ...string) func() error {
	return func() error {
		got, silent, err := g.nodeStates(upstream)
		if err != nil {
			return err
		}
		return hold(fmt.Sprint(got) == fmt.Sprint(want), "the nodes are %q (silent: %v), want %q", got, silent, want)
	}
}

// ill is a node that says so when it is asked.
func ill(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

// What the Envoys of `weir run` think of nodes is seen, in the API and by `weir upstreams`.
func TestNodeStates(t *testing.T) {
	t.Parallel()
	nodes, port := newNodes(t, 3), freePort(t)
	g := runWeir(t, newDirectory(t, files{"gateway.hcl": shop(port, checkedUpstream(nodes))}))
	g.awaitListening(t)
	ends := func(states ...string) func() error {
		return func() error {
			got, _, err := g.nodeStates("orders")
			for i := range got {
				got[i], _, _ = strings.Cut(got[i], ":")
			}
			return hold(err == nil && fmt.Sprint(got) == fmt.Sprint(states), "the nodes are %q, %v", got, err)
		}
	}
	eventually(t, startBound, "all nodes are well", ends("healthy", "healthy", "off"))
	nodes[1].behave(ill)
	eventually(t, startBound, "the second is ill", ends("healthy", "unhealthy", "off"))
	out := weir(t, "upstreams", "orders", "--admin-address", g.admin).must(t).stdout
	for address, state := range map[string]string{nodes[0].address: "healthy", nodes[1].address: "unhealthy", nodes[2].address: "off"} {
		found := false
		for line := range strings.Lines(out) {
			found = found || strings.HasPrefix(line, address) && strings.Contains(line, " "+state+" ")
		}
		if !found {
			t.Errorf("%s is not shown as %s:\n%s", address, state, out)
		}
	}
	nodes[1].behave(nil)
	eventually(t, startBound, "it is well again", ends("healthy", "healthy", "off"))
	g.edit(t, "gateway.hcl", shop(port, plain(nodes...)), "nothing is known where nothing checks", ends("unknown", "unknown", "unknown"))
}

// Envoys that others started are asked at the address that their bootstrap tells. One that tells none, and one that does
// not answer, make nobody wait.
func TestNodeStatesByProxy(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 3)
	g := serveWeir(t, newDirectory(t, files{"gateway.hcl": shop(freePort(t), checkedUpstream(nodes))}))
	g.awaitListening(t)
	eventually(t, startBound, "without Envoys nothing is known", g.states("orders", "unknown", "unknown", "off"))
	envoyOn(t, g, "a", nil)
	stuck := envoyOn(t, g, "b", nil)
	envoyOn(t, g, "c", func(bootstrap string) string { return strings.Replace(bootstrap, "weir.admin_address", "another", 1) })
	eventually(t, startBound, "two of them tell", g.states("orders", "healthy: a healthy, b healthy", "healthy: a healthy, b healthy", "off"))

	must(t, stuck.cmd.Process.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = stuck.cmd.Process.Signal(syscall.SIGCONT) }) // or it would not end with the test
	nodes[0].behave(ill)
	eventually(t, startBound, "one of them tells", g.states("orders", "unhealthy: a unhealthy", "healthy: a healthy", "off"))
	started := time.Now()
	_, silent, err := g.nodeStates("orders")
	if took := time.Since(started); err != nil || took > 8*time.Second {
		t.Errorf("the answer took %s, %v", took, err)
	}
	if !strings.Contains(silent["b"], "does not answer") || !strings.Contains(silent["c"], "--envoy-admin-address") || len(silent) != 2 {
		t.Errorf("said nothing: %q", silent)
	}
}
