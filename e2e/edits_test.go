package e2e

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// estate is a configuration that is edited at random. Whatever is edited, each of its paths has a node that answers.
type estate struct {
	random    *rand.Rand
	port      int
	nodes     []*node
	upstreams []estateUpstream
	apis      []estateAPI
	extra     bool // a further service
	crowd     int  // further APIs: with many of them the routes are cut into parts
	made      int  // upstreams so far, for names that nobody had
	edits     int
}

type estateUpstream struct {
	name    string
	nodes   []*node
	byName  bool // its nodes are host names: a DNS cluster
	retries int
	host    string
}

type estateAPI struct {
	path     string
	upstream int // index into upstreams
	service  string
}

func newEstate(random *rand.Rand, port int, nodes []*node) *estate {
	e := &estate{random: random, port: port, nodes: nodes}
	for i := range 3 {
		e.upstreams = append(e.upstreams, estateUpstream{name: e.newName(), nodes: nodes[2*i : 2*i+2], retries: 5})
	}
	for i, path := range []string{"/a", "/b/{id}", "/c", "/"} {
		e.apis = append(e.apis, estateAPI{path: path, upstream: i % 3, service: "shop"})
	}
	return e
}

func (e *estate) newName() string {
	e.made++
	return fmt.Sprintf("u%d", e.made)
}

// edit changes one thing, as a person would.
func (e *estate) edit() string {
	e.edits++
	u, a := &e.upstreams[e.random.IntN(len(e.upstreams))], &e.apis[e.random.IntN(len(e.apis))]
	switch e.random.IntN(9) {
	case 0, 1:
		was := u.name
		u.name = e.newName()
		return "rename " + was + " to " + u.name
	case 2:
		a.upstream = e.random.IntN(len(e.upstreams))
		return "move " + a.path + " to " + e.upstreams[a.upstream].name
	case 3:
		a.service = map[string]string{"shop": "store", "store": "shop"}[a.service]
		return "move " + a.path + " into service " + a.service
	case 4:
		first := e.random.IntN(len(e.nodes))
		u.nodes = []*node{e.nodes[first], e.nodes[(first+1)%len(e.nodes)]}
		return "swap the nodes of " + u.name
	case 5:
		e.extra = !e.extra
		return fmt.Sprintf("a further service: %v", e.extra)
	case 6:
		e.crowd = []int{0, 80, 110, 400}[e.random.IntN(4)] + e.random.IntN(15)
		return fmt.Sprintf("%d further APIs", e.crowd)
	case 7:
		u.retries = 1 + u.retries%10
		return fmt.Sprintf("%d retries of %s", u.retries, u.name)
	default:
		u.byName = !u.byName
		return fmt.Sprintf("%s by host names: %v", u.name, u.byName)
	}
}

// text is the configuration. Its mock tells which edit is live.
func (e *estate) text() string {
	var b strings.Builder
	b.WriteString(fill(edgeText, "port", e.port))
	for _, u := range e.upstreams {
		fmt.Fprintf(&b, "upstream %q {\n  vpc = vpc.main\n  protocol = \"http\"\n  retries = %d\n", u.name, u.retries)
		for _, n := range u.nodes {
			address := n.address
			if u.byName {
				address = strings.Replace(address, "127.0.0.1", "localhost", 1)
			}
			fmt.Fprintf(&b, "  node %q {}\n", address)
		}
		b.WriteString("}\n")
	}
	for _, service := range []string{"shop", "store"} {
		fmt.Fprintf(&b, "service %q {\n  instance = instance.edge\n", service)
		for i, a := range e.apis {
			if a.service == service {
				fmt.Fprintf(&b, "  api \"api%d\" {\n    path = %q\n    backend { upstream = upstream.%s }\n  }\n", i, a.path, e.upstreams[a.upstream].name)
			}
		}
		b.WriteString("}\n")
	}
	if e.extra {
		b.WriteString(mock("extra", "/extra", "extra"))
	}
	b.WriteString("service \"crowd\" {\n  instance = instance.edge\n")
	for i := range e.crowd {
		fmt.Fprintf(&b, "  api \"api%d\" {\n    path = \"/crowd/%d\"\n    backend {\n      mock { status = 200 }\n    }\n  }\n", i, i)
	}
	b.WriteString("}\n")
	b.WriteString(mock("live", "/live", fmt.Sprint(e.edits)))
	return b.String()
}

// 200 edits under load, in bursts of some that come 5 ms apart: upstreams get other names and other nodes, APIs move, services
// come and go. Nobody who asks meanwhile gets anything but 200.
func TestTwoHundredEditsLoseNoRequest(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	e := newEstate(rand.New(rand.NewPCG(seed, 1)), freePort(t), newNodes(t, 6))
	dir := newDirectory(t, files{"gateway.hcl": e.text()})
	g := runWeir(t, dir)
	awaitReady(t, g, e.port)
	var loads []*load
	for _, path := range []string{"/a", "/b/7", "/c", "/"} {
		loads = append(loads, startLoad(t, request{port: e.port, path: path}))
	}
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	var done []string
	for e.edits < 200 {
		for range 1 + e.random.IntN(10) {
			done = append(done, e.edit())
			renameFile(t, filepath.Join(dir, "gateway.hcl"), e.text())
			<-pace.C
		}
		eventually(t, editBound, fmt.Sprintf("edit %d is live", e.edits), answeredBy(request{port: e.port, path: "/live"}, fmt.Sprint(e.edits)))
	}
	sent := 0
	for _, l := range loads {
		sent += l.stop(t).sent
	}
	t.Logf("%d edits, %d requests", e.edits, sent)
	if t.Failed() {
		t.Logf("the edits were:\n%s", strings.Join(done, "\n"))
	}
}
