package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// containerText is a gateway in containers: the nodes are containers too, found by name.
const containerText = `
vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "http" { port = 8080 }
}
upstream "backend" {
  vpc      = vpc.main
  protocol = "http"
  node "node-a:9000" { weight = <a> }
  node "node-b:9000" { weight = <b> }
}
service "shop" {
  instance = instance.edge
  api "all" {
    backend { upstream = upstream.backend }
  }
}
`

// The whole product as it is deployed: weir, Envoy and two nodes, each a container on a network of their own; edits
// arrive from outside through a bind mount, and traffic follows.
func TestContainers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "main")
	c.run(t, backendPart("node-a"), backendPart("node-b"))
	dir := newDirectory(t, files{"gateway.hcl": fill(containerText, "a", 1, "b", 0)})
	single := filepath.Join(newDirectory(t, files{"single.hcl": fill(containerText, "a", 0, "b", 1)}), "single.hcl")
	folder := request{port: c.gateway(t, "folder", dir, "/conf"), path: "/"}
	alone := request{port: c.gateway(t, "single", single, "/conf/gateway.hcl"), path: "/"}
	eventually(t, startBound, "node-a answers through the folder's gateway", answeredByNodes(folder, "node-a"))
	eventually(t, startBound, "node-b answers through the single file's gateway", answeredByNodes(alone, "node-b"))
	l := startLoad(t, folder)

	file := filepath.Join(dir, "gateway.hcl")
	renameFile(t, file, fill(containerText, "a", 0, "b", 1))
	eventually(t, editBound, "a rename outside is followed", answeredByNodes(folder, "node-b"))
	writeFile(t, file, fill(containerText, "a", 1, "b", 0))
	eventually(t, editBound, "a write in place outside is followed", answeredByNodes(folder, "node-a"))
	writeFile(t, file, fill(containerText, "a", 0, "b", 1)+"nonsense\n")
	c.awaitLog(t, "folder-weir", "gateway.hcl", "nonsense")
	must(t, answeredByNodes(folder, "node-a")())
	writeFile(t, file, fill(containerText, "a", 1, "b", 1))
	eventually(t, editBound, "the mended file is followed", answeredByNodes(folder, "node-a", "node-b"))

	second := request{port: c.envoy(t, "second-envoy", "folder-weir"), path: "/"}
	eventually(t, startBound, "a second Envoy has the same configuration", answeredByNodes(second, "node-a", "node-b"))
	c.signal(t, "second-envoy", "STOP")
	renameFile(t, file, strings.NewReplacer(`upstream "backend"`, `upstream "renamed"`, "upstream.backend", "upstream.renamed").Replace(fill(containerText, "a", 0, "b", 1)))
	eventually(t, editBound, "an Envoy that hangs holds nobody up", answeredByNodes(folder, "node-b"))
	c.signal(t, "second-envoy", "CONT")
	eventually(t, startBound, "it catches up when it goes on", answeredByNodes(second, "node-b"))

	writeFile(t, single, fill(containerText, "a", 1, "b", 0))
	eventually(t, editBound, "a write in place of a single mounted file is followed", answeredByNodes(alone, "node-a"))
	l.stop(t)
}

// answeredByNodes is met when, over a few rounds, each of the named backends is seen and no other.
func answeredByNodes(r request, names ...string) func() error {
	return func() error {
		got := make(map[string]int)
		for range 8 * len(names) {
			a, err := r.try()
			if err != nil {
				return err
			}
			if a.status != http.StatusOK {
				return fmt.Errorf("answered %v", a)
			}
			for _, name := range []string{"node-a", "node-b"} {
				if strings.Contains(a.body, name) {
					got[name]++
				}
			}
		}
		for _, name := range names {
			if got[name] == 0 {
				return fmt.Errorf("%s has answered none: %v", name, got)
			}
		}
		return hold(len(got) == len(names), "answers of %v, want only %v", got, names)
	}
}
