package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// A health check that comes, changes and goes is another cluster; no request is lost, whatever comes between.
func TestHealthCheckComesAndGoes(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 3)
	upstream := plain(nodes[0], nodes[1])
	g, port := startShop(t, upstream, nil)
	r := request{port: port, path: "/"}
	l := startLoad(t, r)
	checked := func(more string) string {
		return "  health_check {\n    interval = \"100ms\"\n" + more + "  }\n"
	}
	for round := range 2 {
		for _, step := range []string{
			upstream + checked(""),
			plain(nodes[0], nodes[1], nodes[2]) + checked(""),
			strings.Replace(plain(nodes[0], nodes[1]), "{}", "{ weight = 0 }", 1) + checked("    path = \"/health\"\n"),
			plain(nodes[2]) + checked("    type = \"tcp\"\n") + "  outlier_detection {}\n",
			upstream,
		} {
			var names []string
			for _, n := range nodes {
				if strings.Contains(step, `"`+n.address+`" {}`) {
					names = append(names, n.name)
				}
			}
			g.edit(t, "gateway.hcl", shop(port, step), strings.Join(names, " and ")+" answer", answeredByAll(r, names...))
		}
		// Another name: a new cluster, which may not be used before it is warm.
		renamed := strings.ReplaceAll(shop(port, plain(nodes[round])+checked("")), "orders", "renamed")
		g.edit(t, "gateway.hcl", renamed, "the renamed upstream answers", answeredByAll(r, nodes[round].name))
	}
	l.stop(t)
}

// A weight of 0 drains a node, checked or not: it gets no new request, and the one that it has is not cut.
func TestWeightZeroDrains(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"", "  health_check {\n    type = \"tcp\"\n    interval = \"100ms\"\n  }\n"} {
		nodes := newNodes(t, 2)
		g, port := startShop(t, weighted(nodes, 1, 1)+more, nil)
		r := request{port: port, path: "/"}
		arrived, release := holdOne(t, nodes[0])
		result := make(chan error, 1)
		go func() {
			for range 20 { // until the node is asked
				if a, err := r.try(); err != nil || a.body == "slow" {
					result <- err
					return
				}
			}
			result <- errors.New("the node was never asked")
		}()
		<-arrived
		g.edit(t, "gateway.hcl", shop(port, weighted(nodes, 0, 1)+more), "the other node has all", answeredByAll(r, "n1"))
		before := nodes[0].count()
		for range 20 {
			must(t, r.wants(http.StatusOK, "n1"))
		}
		if got := nodes[0].count() - before; got != 0 {
			t.Errorf("a node of weight 0 gets %d requests", got)
		}
		release()
		if err := <-result; err != nil {
			t.Errorf("the edit cuts a request off: %v", err)
		}
	}
}
