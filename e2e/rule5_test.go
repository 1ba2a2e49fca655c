package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

const (
	usedText = `
upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  node "<node>" {}
}
`
	usingText = `
service "shop" {
  instance = instance.edge
  api "orders" {
    path_prefix = "/orders"
    backend { upstream = upstream.orders }
  }
  api "invoices" {
    methods = ["GET"]
    path    = "/invoices/{id}"
    backend { upstream = upstream.orders }
  }
}
`
)

// An upstream that APIs use cannot be removed: the page's rule, played over two files and over one.
func TestUsedUpstreamCannotBeRemoved(t *testing.T) {
	t.Parallel()
	n := newNode(t, "orders")
	port := freePort(t)
	edge := fill(edgeText, "port", port) + mock("up", "/up", "up")
	used := fill(usedText, "node", n.address)
	dir := newDirectory(t, files{"edge.hcl": edge, "upstreams.hcl": used, "services.hcl": usingText})
	g := runWeir(t, dir)
	orders := request{port: port, path: "/orders"}
	awaitAnswer(t, startBound, port, "/orders", "orders")
	showsAssociatedAPIs(t, g)
	l := startLoad(t, orders)

	// The upstream first: refused at each API, traffic goes on.
	must(t, os.Remove(filepath.Join(dir, "upstreams.hcl")))
	g.awaitOutcome(t, "invalid", "services.hcl line 6", "services.hcl line 11", "shop", "orders", "invoices")
	must(t, answeredByAll(orders, "orders")())
	l.stop(t)

	// The service second: the state between resolves.
	must(t, os.Remove(filepath.Join(dir, "services.hcl")))
	eventually(t, editBound, "the service is gone", notFound(orders))
	g.awaitOutcome(t, "applied")

	// Both come back, the user before what it uses.
	writeFile(t, filepath.Join(dir, "services.hcl"), usingText)
	g.awaitOutcome(t, "invalid", "services.hcl line 6", "services.hcl line 11")
	must(t, orders.wants(http.StatusNotFound, ""))
	writeFile(t, filepath.Join(dir, "upstreams.hcl"), used)
	eventually(t, editBound, "the service is back", answeredBy(orders, "orders"))

	// Both in one save.
	must(t, os.Remove(filepath.Join(dir, "services.hcl")))
	eventually(t, editBound, "the service is gone", notFound(orders))
	writeFile(t, filepath.Join(dir, "upstreams.hcl"), used+usingText)
	eventually(t, editBound, "the service is back in one file", answeredBy(orders, "orders"))
	g.save(t, "upstreams.hcl", mock("other", "/other", "other"))
	eventually(t, editBound, "both are gone at once", notFound(orders))
	g.awaitOutcome(t, "applied")
}

// showsAssociatedAPIs looks at the page's tab "Associated APIs", in the API and on the command line.
func showsAssociatedAPIs(t *testing.T, g *gateway) {
	t.Helper()
	var upstream struct {
		AssociatedAPIs []struct{ Service, API, Path string } `json:"associated_apis"`
	}
	_, body, err := g.page("/api/v1/upstreams/orders")
	must(t, err)
	if err := json.Unmarshal([]byte(body), &upstream); err != nil || len(upstream.AssociatedAPIs) != 2 {
		t.Errorf("the associated APIs are %+v, %v:\n%s", upstream.AssociatedAPIs, err, body)
	}
	if err := containsAll(weir(t, "upstreams", "orders", "--admin-address", g.admin).must(t).stdout, "invoices", "/invoices/{id}", "GET", "orders"); err != nil {
		t.Error(err)
	}
}
