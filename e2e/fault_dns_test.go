package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// dnsFaults are those of the DNS server that Envoy asks for the names of nodes.
var dnsFaults = []fault{
	{"DNS does not answer for 12 s", "nodes keep the addresses that they had; edits of other things are live", dnsIsSilent},
	{"a new Envoy starts while DNS does not answer", "it opens its ports within seconds, answers 503 for nodes with names and all else as ever, and has the nodes within seconds of DNS' return", dnsIsSilentAtStart},
	{"an upstream with names is edited while DNS does not answer", "Envoy makes the upstream anew and, when its first lookup ends after about 2 s, knows no address of it: its requests are answered 503, until at most 10 s after DNS' return; all others as ever", dnsIsSilentAtEdit},
}

// namedText is a gateway whose nodes have names.
const namedText = `
vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "http" { port = 8080 }
}
upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  node "node-a.internal:9000" { weight = <a> }
  node "node-b.internal:9000" { weight = <b> }
}
service "shop" {
  instance = instance.edge
  api "all" {
    backend { upstream = upstream.orders }
  }
  api "edit" {
    path = "/edit"
    backend {
      mock {
        body = "<edit>"
      }
    }
  }
}
`

// named is a gateway in containers whose Envoys ask a DNS server of the test's own.
type named struct {
	*cluster
	file   string
	resolv string // what Envoys have as /etc/resolv.conf
	port   int
}

func startNamed(t *testing.T) *named {
	t.Helper()
	n := &named{cluster: newCluster(t, "main")}
	dir := newDirectory(t, files{"gateway.hcl": fill(namedText, "a", 1, "b", 1, "edit", 0)})
	n.file = filepath.Join(dir, "gateway.hcl")
	n.run(t, backendPart("node-a"), backendPart("node-b"), weirPart("weir", dir, "/conf"))
	n.run(t, part{name: "resolver", image: image("resolver"), arguments: []string{
		"node-a.internal=" + n.address(t, "node-a", "main"), "node-b.internal=" + n.address(t, "node-b", "main")}})
	n.resolv = filepath.Join(t.TempDir(), "resolv.conf")
	writeFile(t, n.resolv, fmt.Sprintf("nameserver %s\n", n.address(t, "resolver", "main")))
	n.port = n.join(t, "envoy")
	eventually(t, startBound, "the nodes answer", answeredByNodes(n.call(), "node-a", "node-b"))
	return n
}

// join starts an Envoy. It finds weir without DNS.
func (n *named) join(t *testing.T, name string) int {
	t.Helper()
	p := envoyPart(t, "edge", name, n.address(t, "weir", "main"))
	p.binds = append(p.binds, n.resolv+":/etc/resolv.conf:ro")
	n.run(t, p)
	return n.proxied(t, name)
}

func (n *named) call() request { return request{port: n.port, path: "/"} }

// silence has DNS not answer, and not refuse, until it is ended.
func (n *named) silence(t *testing.T) (end func()) {
	t.Helper()
	id := n.container("resolver").GetContainerID()
	docker(t, "pause", id)
	return func() { docker(t, "unpause", id) }
}

func dnsIsSilent(t *testing.T) result {
	n := startNamed(t)
	l := press(t, n.call())
	end := n.silence(t)
	for edit := range 4 {
		l.hold(time.Duration(size(2, 3)) * time.Second) // addresses are asked for every 5 s
		renameFile(t, n.file, fill(namedText, "a", 1, "b", 1, "edit", edit))
		awaitAnswer(t, editBound, n.port, "/edit", fmt.Sprint(edit))
	}
	must(t, answeredByNodes(n.call(), "node-a", "node-b")())
	end()
	renameFile(t, n.file, fill(namedText, "a", 0, "b", 1, "edit", "end"))
	eventually(t, editBound, "an edit of the upstream is live", answeredByNodes(n.call(), "node-b"))
	return result{l.release().none(t), ""}
}

func dnsIsSilentAtStart(t *testing.T) result {
	n := startNamed(t)
	l := press(t, n.call())
	end := n.silence(t)
	began := time.Now()
	late := n.join(t, "late")
	awaitAnswer(t, startBound, late, "/edit", "0")
	opened := time.Since(began)
	must(t, request{port: late, path: "/"}.wants(http.StatusServiceUnavailable, ""))
	end()
	back := time.Now()
	eventually(t, startBound, "the nodes answer", answeredByNodes(request{port: late, path: "/"}, "node-a", "node-b"))
	return result{l.release().none(t), fmt.Sprintf("open %v after its start, complete %v after DNS' return", round(opened), round(time.Since(back)))}
}

func dnsIsSilentAtEdit(t *testing.T) result {
	n := startNamed(t)
	l, others := press(t, n.call()), press(t, request{port: n.port, path: "/edit"})
	l.hold(time.Second)
	end := n.silence(t)
	renameFile(t, n.file, fill(namedText, "a", 2, "b", 1, "edit", 1))
	awaitAnswer(t, editBound, n.port, "/edit", "1")
	l.hold(3 * time.Second)
	end()
	back := time.Now()
	eventually(t, startBound, "the nodes answer", answeredByNodes(n.call(), "node-a", "node-b"))
	took := time.Since(back)
	if took > 10*time.Second {
		t.Errorf("the nodes are back %v after DNS", took)
	}
	well := time.Now()
	l.hold(time.Second)
	others.release().none(t)
	return result{l.release().noneAfter(t, well), fmt.Sprintf("nodes are back %v after DNS' return", round(took))}
}
