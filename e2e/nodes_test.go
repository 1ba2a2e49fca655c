package e2e

import (
	"crypto/tls"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
)

// 2,000 requests over weights 50:30:20 fall within 3 points.
func TestWeightsShareRequests(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 4)
	weights := []int{50, 30, 20, 0}
	_, port := startShop(t, weighted(nodes, weights...), nil)
	const requests = 2000
	client := newClient(nil)
	defer client.CloseIdleConnections()
	before := make([]int, len(nodes))
	for i, n := range nodes {
		before[i] = n.count()
	}
	for range requests {
		got, err := request{port: port, path: "/"}.send(client, "http")
		if err != nil || got.status != http.StatusOK {
			t.Fatalf("%v %v", got, err)
		}
	}
	for i, n := range nodes {
		percent := 100 * float64(n.count()-before[i]) / requests
		t.Logf("weight %d: %.1f %%", weights[i], percent)
		if math.Abs(percent-float64(weights[i])) > 3 {
			t.Errorf("the node of weight %d got %.1f %% of the requests", weights[i], percent)
		}
	}
	if nodes[3].count() != 0 {
		t.Errorf("the node of weight 0 got %d requests", nodes[3].count())
	}
}

func TestTwoHundredNodes(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 200)
	_, port := startShop(t, plain(nodes...), nil)
	client := newClient(nil)
	defer client.CloseIdleConnections()
	eventually(t, startBound, "each of 200 nodes is asked", func() error {
		for range 200 {
			if got, err := (request{port: port, path: "/"}).send(client, "http"); err != nil || got.status != http.StatusOK {
				t.Fatalf("%v %v", got, err)
			}
		}
		for _, n := range nodes {
			if n.count() == 0 {
				return fmt.Errorf("%s at %s has seen no request", n.name, n.address)
			}
		}
		return nil
	})
}

// A name, an IPv6 address and both beside an IPv4 address: each node gets its share.
func TestKindsOfAddress(t *testing.T) {
	t.Parallel()
	four := newNode(t, "four")
	six := startNode(t, "six", "[::1]:0", nil)
	named := newNode(t, "named")
	name := "localhost:" + named.port()
	cases := []struct {
		name    string
		labels  []string
		answers []string
	}{
		{"a name", []string{name}, []string{"named"}},
		{"IPv6", []string{six.address}, []string{"six"}},
		{"IPv6 and IPv4", []string{six.address, four.address}, []string{"six", "four"}},
		{"all three", []string{six.address, four.address, name}, []string{"six", "four", "named"}},
		{"IPv6 at length", []string{"[0:0:0:0:0:0:0:1]:" + six.port()}, []string{"six"}},
	}
	upstreams := make([]string, len(cases))
	for i, c := range cases {
		upstreams[i] = "  protocol = \"http\"\n"
		for _, label := range c.labels {
			upstreams[i] += fmt.Sprintf("  node %q {}\n", label)
		}
	}
	_, port := startUpstreams(t, upstreams, nil)
	for i, c := range cases {
		if err := answeredByAll(request{port: port, path: fmt.Sprintf("/%d", i)}, c.answers...)(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A name's weight of 0 becomes one of 1 and back, which must not change what kind of cluster it is.
func TestNamedNodeIsSwitchedOn(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	text := func(ip, name int) string {
		return fmt.Sprintf("  protocol = \"http\"\n  node %q { weight = %d }\n  node \"localhost:%s\" { weight = %d }\n",
			nodes[0].address, ip, nodes[1].port(), name)
	}
	g, port := startShop(t, text(1, 0), nil)
	r := request{port: port, path: "/"}
	must(t, answeredByAll(r, "n0")())
	l := startLoad(t, r)
	g.edit(t, "gateway.hcl", shop(port, text(1, 1)), "the name is asked", answeredByAll(r, "n0", "n1"))
	g.edit(t, "gateway.hcl", shop(port, text(0, 1)), "only the name is asked", answeredByAll(r, "n1"))
	g.edit(t, "gateway.hcl", shop(port, text(1, 0)), "the name is no longer asked", answeredByAll(r, "n0"))
	l.stop(t)
}

// A node that fails costs the caller nothing while another works.
func TestRetriesReachAnotherNode(t *testing.T) {
	t.Parallel()
	good, busy, rude, dead := newNode(t, "good"), newNode(t, "busy"), newNode(t, "rude"), newNode(t, "dead")
	busy.behave(unavailable)
	rude.behave(hangUp)
	dead.stop()
	once := "  retries = 1\n"
	_, port := startUpstreams(t, []string{plain(good, busy) + once, plain(good, rude) + once, plain(good, dead) + once}, nil)
	for i, failing := range []*node{busy, rude, dead} {
		for range 30 {
			if err := (request{port: port, path: fmt.Sprintf("/%d", i)}).wants(http.StatusOK, "good"); err != nil {
				t.Fatalf("beside the %s node: %v", failing.name, err)
			}
		}
	}
	if busy.count() == 0 || rude.count() == 0 {
		t.Error("the failing nodes were never asked, so nothing was retried")
	}
}

// startUpstreams runs a gateway on which the path "/0" belongs to the first upstream, "/1" to the second, and so on,
// and "/up" to none of them.
func startUpstreams(t *testing.T, upstreams []string, more files) (*gateway, int) {
	t.Helper()
	port := freePort(t)
	var text strings.Builder
	text.WriteString(fill(edgeText, "port", port) + mock("health", "/up", "up"))
	for i, upstream := range upstreams {
		fmt.Fprintf(&text, "upstream \"u%d\" {\n  vpc = vpc.main\n%s}\n", i, upstream)
		fmt.Fprintf(&text, "service \"s%d\" {\n  instance = instance.edge\n  api \"a\" {\n    path = \"/%d\"\n", i, i)
		fmt.Fprintf(&text, "    backend { upstream = upstream.u%d }\n  }\n}\n", i)
	}
	content := files{"gateway.hcl": text.String()}
	for name, text := range more {
		content[name] = text
	}
	g := runWeir(t, newDirectory(t, content))
	awaitAnswer(t, startBound, port, "/up", "up")
	return g, port
}

// tlsUpstream is the body of an upstream of one HTTPS node.
func tlsUpstream(label, more string) string {
	return fmt.Sprintf("  protocol = \"https\"\n  node %q {}\n%s", label, more)
}

// An HTTPS node that does not prove who it is never sees a request.
func TestUpstreamIsVerified(t *testing.T) {
	t.Parallel()
	trusted, stranger := newAuthority(t, "trusted"), newAuthority(t, "stranger")
	const caFile = "  tls {\n    ca_file = \"tls/ca.pem\"\n  }\n"
	const sni = "  tls {\n    ca_file = \"tls/ca.pem\"\n    sni = \"orders.internal\"\n  }\n"
	const skip = "  tls {\n    insecure_skip_verify = true\n  }\n"
	const header = "  host_header = \"orders.internal:8443\"\n"
	cases := []struct {
		name        string
		certificate tls.Certificate
		host        string // the node's, "": its IP address
		more        string
		accepted    bool
	}{
		{"by its IP address", trusted.pair(t, "127.0.0.1"), "", caFile, true},
		{"by host_header", trusted.pair(t, "orders.internal"), "", caFile + header, true},
		{"by sni", trusted.pair(t, "orders.internal"), "", sni, true},
		{"by its own name", trusted.pair(t, "localhost"), "localhost", caFile, true},
		{"not verified, as asked", stranger.pair(t, "elsewhere.internal"), "", skip, true},
		{"another IP address", trusted.pair(t, "127.0.0.2"), "", caFile, false},
		{"another name", trusted.pair(t, "elsewhere.internal"), "", caFile + header, false},
		{"a name, not the sni", trusted.pair(t, "elsewhere.internal"), "", sni, false},
		{"not its own name", trusted.pair(t, "elsewhere.internal"), "localhost", caFile, false},
		{"another authority", stranger.pair(t, "127.0.0.1"), "", caFile, false},
		{"another authority, the right name", stranger.pair(t, "orders.internal"), "", sni, false},
		{"not of the system's authorities", trusted.pair(t, "orders.internal"), "", header, false},
	}
	nodes, upstreams := make([]*node, len(cases)), make([]string, len(cases))
	for i, c := range cases {
		nodes[i] = newTLSNode(t, "node", c.certificate)
		label := nodes[i].address
		if c.host != "" {
			label = c.host + ":" + nodes[i].port()
		}
		upstreams[i] = tlsUpstream(label, c.more)
	}
	_, port := startUpstreams(t, upstreams, files{"tls/ca.pem": trusted.pem})
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := get(t, port, "", fmt.Sprintf("/%d", i))
			switch {
			case c.accepted && (got.status != http.StatusOK || got.body != "node"):
				t.Errorf("answered %v, want the node's answer", got)
			case !c.accepted && got.status != http.StatusServiceUnavailable:
				t.Errorf("answered %v, want 503", got)
			case !c.accepted && nodes[i].count() != 0:
				t.Errorf("the node has seen %v", nodes[i].arrived())
			case !c.accepted: // and for no other reason
				eventually(t, editBound, "Envoy breaks off the handshake", func() error {
					return containsAll(nodes[i].log.String(), "TLS handshake error", "certificate")
				})
			}
		})
	}
}

// A CA file that changes on disk changes whom Envoy trusts.
func TestCAFileIsWatched(t *testing.T) {
	t.Parallel()
	old, fresh := newAuthority(t, "old"), newAuthority(t, "fresh")
	n := newTLSNode(t, "node", fresh.pair(t, "127.0.0.1"))
	upstream := tlsUpstream(n.address, "  tls {\n    ca_file = \"tls/ca.pem\"\n  }\n")
	g, port := startUpstreams(t, []string{upstream}, files{"tls/ca.pem": old.pem})
	must(t, request{port: port, path: "/0"}.wants(http.StatusServiceUnavailable, ""))
	g.save(t, "tls/ca.pem", fresh.pem)
	awaitAnswer(t, editBound, port, "/0", "node")
}
