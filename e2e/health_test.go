package e2e

import (
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
