package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// liveText is what the edits of TestEditsAreLive start from.
const liveText = edgeText + `
upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  node "<a>" { weight = 1 }
  node "<b>" { weight = 0 }
}

service "shop" {
  instance = instance.edge
  domains  = ["shop.example.com"]
  api "orders" {
    path_prefix = "/orders"
    backend {
      upstream = upstream.orders
    }
  }
}
`

// liveEdit is one save and how the next requests show it.
type liveEdit struct {
	name     string
	old, new string // every occurrence is replaced
	seen     func() error
}

// Each edit starts from the text that the one before left.
func TestEditsAreLive(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 3)
	a, b, c := nodes[0], nodes[1], nodes[2]
	port, inner := freePort(t), freePort(t)
	text := fill(liveText, "port", port, "a", a.address, "b", b.address)
	g := runWeir(t, newDirectory(t, files{"gateway.hcl": text}))
	awaitAnswer(t, startBound, port, "/orders", a.name)

	nodeA, nodeB, nodeC := fmt.Sprintf("  node %q { weight = ", a.address), fmt.Sprintf("  node %q { weight = ", b.address),
		fmt.Sprintf("  node %q { weight = 1 }\n", c.address)
	orders := request{port: port, path: "/orders/7?x=1"}
	mockBlock := "  api \"ping\" {\n    path = \"/ping\"\n    backend {\n      mock {\n        body = \"pong\"\n      }\n    }\n  }\n"
	other := strings.ReplaceAll(mock("other", "/other", "other"), "instance.edge", "instance.edge\n  domains = [\"other.example.com\"]")
	second := fill(edgeText, "port", inner)[len("\nvpc \"main\" {}\n"):] + mock("second", "/", "inner")
	second = strings.NewReplacer(`instance "edge"`, `instance "inner"`, "instance.edge", "instance.inner").Replace(second)
	fresh := fmt.Sprintf("upstream \"fresh\" {\n  vpc = vpc.main\n%s}\n", plain(a))
	ping := request{port: port, path: "/ping"}
	otherHost := request{port: port, host: "other.example.com", path: "/other"}

	for _, e := range []liveEdit{
		{"a weight", nodeA + "1 }\n" + nodeB + "0", nodeA + "0 }\n" + nodeB + "1", answeredBy(orders, b.name)},
		{"host_header", `protocol = "http"`, "protocol = \"http\"\n  host_header = \"orders.internal:8443\"", hostAt(orders, b, "orders.internal:8443")},
		{"host_header again", "orders.internal:8443", "v2.internal", hostAt(orders, b, "v2.internal")},
		{"no host_header", "  host_header = \"v2.internal\"\n", "", hostAt(orders, b, "shop.example.com")},
		{"backend.path", "upstream = upstream.orders\n", "upstream = upstream.orders\n      path = \"/v1\"\n", uriAt(orders, b, "/v1/7?x=1")},
		{"retries", `protocol = "http"`, "protocol = \"http\"\n  retries = 2", attempts(orders, b, 3)},
		{"more retries", "retries = 2", "retries = 4", attempts(orders, b, 5)},
		{"a node added", nodeB + "1 }\n", nodeB + "1 }\n" + nodeC, answeredByAll(orders, b.name, c.name)},
		{"a node removed", nodeB + "1 }\n", "", answeredByAll(orders, c.name)},
		{"an API added", "  api \"orders\"", mockBlock + "  api \"orders\"", answeredBy(ping, "pong")},
		{"an API removed", mockBlock, "", notFound(ping)},
		{"a service added", `service "shop"`, other + `service "shop"`, answeredBy(otherHost, "other")},
		{"a service removed", other, "", notFound(otherHost)},
		{"an upstream added", `upstream "orders"`, fresh + `upstream "orders"`, answeredByAll(orders, c.name)},
		{"another upstream used", "= upstream.orders", "= upstream.fresh", uriAt(orders, a, "/v1/7?x=1")},
		{"an upstream renamed", "fresh", "renamed", uriAt(orders, a, "/v1/7?x=1")},
		{"an instance added", `service "shop"`, second + `service "shop"`, answeredBy(request{port: inner, path: "/"}, "inner")},
		{"an instance removed", second, "", func() error { return refused(inner) }},
		{"a listener moved", fmt.Sprintf("port    = %d", port), fmt.Sprintf("port    = %d", inner), answeredBy(request{port: inner, path: "/orders"}, a.name)},
	} {
		if !strings.Contains(text, e.old) {
			t.Fatalf("%s: the text has no %q:\n%s", e.name, e.old, text)
		}
		text = strings.ReplaceAll(text, e.old, e.new)
		g.edit(t, "gateway.hcl", text, e.name+" is seen", e.seen)
	}
	eventually(t, editBound, "the listener's old port is closed", func() error { return refused(port) })
}

// The conditions of the edits. Each sends requests and looks at what came of them.

func answeredBy(r request, body string) func() error {
	return func() error { return r.wants(http.StatusOK, body) }
}

func notFound(r request) func() error {
	return func() error { return r.wants(http.StatusNotFound, "") }
}

func hostAt(r request, n *node, host string) func() error {
	return atNode(r, n, func(got seen) error { return hold(got.Host == host, "Host is %q, want %q", got.Host, host) })
}

func uriAt(r request, n *node, uri string) func() error {
	return atNode(r, n, func(got seen) error { return hold(got.URI == uri, "the path is %q, want %q", got.URI, uri) })
}

// atNode sends a request and looks at what arrived at the node.
func atNode(r request, n *node, judge func(seen) error) func() error {
	return func() error {
		before := n.count()
		if err := r.wants(http.StatusOK, n.name); err != nil {
			return err
		}
		arrived := n.arrived()[before:]
		if len(arrived) != 1 {
			return fmt.Errorf("%d requests arrived, want 1", len(arrived))
		}
		return judge(arrived[0])
	}
}

// attempts sends one request to a node that answers 503 and counts how often the node was asked.
func attempts(r request, n *node, want int) func() error {
	return func() error {
		n.behave(unavailable)
		defer n.behave(nil)
		before := n.count()
		if err := r.wants(http.StatusServiceUnavailable, ""); err != nil {
			return err
		}
		got := n.count() - before
		return hold(got == want, "%d attempts, want %d", got, want)
	}
}

// answeredByAll is met when, over a few rounds, all of the bodies are seen and no other.
func answeredByAll(r request, bodies ...string) func() error {
	return func() error {
		got := make(map[string]int)
		for range 8 * len(bodies) {
			a, err := r.try()
			if err != nil {
				return err
			}
			got[a.body]++
		}
		for _, body := range bodies {
			if got[body] == 0 {
				return fmt.Errorf("%s answered none of the requests: %v", body, got)
			}
		}
		return hold(len(got) == len(bodies), "answers of %v, want only %v", got, bodies)
	}
}

// No request fails because of an edit.
func TestEditsLoseNoRequest(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, weighted(nodes, 1, 1), nil)
	l := startLoad(t, request{port: port, path: "/constant"})
	probe := request{port: port, path: "/probe"}
	for round := range 6 {
		one, other := nodes[round%2], nodes[(round+1)%2]
		pair := []*node{one, other}
		base := shop(port, weighted(pair, 1, 0))
		g.edit(t, "gateway.hcl", base, "a weight of 0 is seen", answeredByAll(probe, one.name))

		host := fmt.Sprintf("round-%d.internal", round)
		headed := shop(port, weighted(pair, 1, 0)+fmt.Sprintf("  host_header = %q\n", host))
		g.edit(t, "gateway.hcl", headed, "host_header is seen", hostAt(probe, one, host))

		path := fmt.Sprintf("/added-%d", round)
		g.edit(t, "added.hcl", mock("added", path, host), "an added API is seen", answeredBy(request{port: port, path: path}, host))

		g.edit(t, "gateway.hcl", shop(port, weighted(pair, 1, 1)), "both nodes are seen", answeredByAll(probe, one.name, other.name))
	}
	l.stop(t)
}

// A rename is an upstream added and another removed, and the route moved between the two.
func TestRenamesLoseNoRequest(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	l := startLoad(t, request{port: port, path: "/constant"})
	for round := 1; round <= 8; round++ {
		n := nodes[round%2]
		text := strings.NewReplacer(`upstream "orders"`, fmt.Sprintf(`upstream "r%d"`, round),
			"upstream.orders", fmt.Sprintf("upstream.r%d", round)).Replace(shop(port, plain(n)))
		g.edit(t, "gateway.hcl", text, "the renamed upstream is seen", answeredByAll(request{port: port, path: "/probe"}, n.name))
	}
	l.stop(t)
}

// An upstream of IP addresses becomes one of names and back: another kind of cluster under the same name.
func TestOtherKindsOfNodeLoseNoRequest(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	r := request{port: port, path: "/"}
	l := startLoad(t, r)
	for range 4 {
		named := fmt.Sprintf("  protocol = \"http\"\n  node \"localhost:%s\" {}\n", nodes[1].port())
		g.edit(t, "gateway.hcl", shop(port, named), "the name is asked", answeredByAll(r, "n1"))
		g.edit(t, "gateway.hcl", shop(port, plain(nodes[0])), "the address is asked", answeredByAll(r, "n0"))
		g.edit(t, "gateway.hcl", shop(port, named+fmt.Sprintf("  node %q {}\n", nodes[0].address)), "both are asked", answeredByAll(r, "n0", "n1"))
	}
	l.stop(t)
}
