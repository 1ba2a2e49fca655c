package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxUpstreams is as many as there are addresses for.
const maxUpstreams = 60_000

// nodesEach is how many nodes an upstream has.
const nodesEach = 10

// layout is a configuration: some upstreams, each with a service and an API of its own, spread over some files. The last
// upstream is the one that is probed and edited; the nodes of the others do not exist.
type layout struct {
	upstreams, files int
	listener         string    // where Envoy listens
	backends         [2]string // the nodes of the probed upstream that answer
	oneDomain        bool      // all services share a domain
}

// state is what the places say that edits change. The zero value is where each kind of edit starts from.
type state struct {
	node  int  // which of the backends is the enabled node
	route int  // which of the paths the probed service's second API has
	added bool // there is one more upstream, with a service and an API
}

// edit is one kind of edit: to a state, and back.
type edit struct {
	name string
	to   state
	back bool // the way back is measured too: it is the same kind of edit
}

var edits = []edit{
	{"node", state{node: 1}, true},
	{"route", state{route: 1}, true},
	{"new upstream", state{added: true}, false},
}

// paths are those of the API whose path is edited.
var paths = [2]string{"/here", "/there"}

// fileName is the name of a file of the layout.
func fileName(i int) string { return fmt.Sprintf("bench_%03d.hcl", i) }

// edited is the name of the file that edits change.
func (l layout) edited() string { return fileName(l.files - 1) }

// write writes the configuration into a directory, which it makes.
func (l layout) write(dir string, s state) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range l.files {
		if err := os.WriteFile(filepath.Join(dir, fileName(i)), l.text(i, s), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// text is what a file of the layout holds.
func (l layout) text(file int, s state) []byte {
	var b strings.Builder
	if file == 0 {
		host, port, _ := strings.Cut(l.listener, ":")
		fmt.Fprintf(&b, "vpc \"main\" {}\n\ninstance \"edge\" {\n  vpc = vpc.main\n\n  listener \"http\" {\n    address = %q\n    port    = %s\n  }\n}\n", host, port)
	}
	for i := file * l.upstreams / l.files; i < (file+1)*l.upstreams/l.files; i++ {
		if i < l.upstreams-1 {
			l.ordinary(&b, i)
		}
	}
	if file == l.files-1 {
		l.probed(&b, s)
		if s.added {
			l.added(&b)
		}
	}
	return []byte(b.String())
}

func (l layout) ordinary(b *strings.Builder, i int) {
	name := fmt.Sprintf("u%05d", i)
	fmt.Fprintf(b, "\nupstream %q {\n  vpc      = vpc.main\n  protocol = \"http\"\n\n", name)
	for k := range nodesEach {
		fmt.Fprintf(b, "  node \"10.%d.%d.%d:8080\" { weight = %d }\n", i>>8, i&255, k+1, k+1)
	}
	b.WriteString("}\n")
	l.service(b, name, api{"items", "/" + name + "/items"})
}

// probed writes the upstream whose one enabled node is edited, with an API that stays and one whose path is edited.
func (l layout) probed(b *strings.Builder, s state) {
	b.WriteString("\nupstream \"probed\" {\n  vpc      = vpc.main\n  protocol = \"http\"\n\n")
	for k, address := range l.backends {
		weight := 0
		if k == s.node {
			weight = 1
		}
		fmt.Fprintf(b, "  node %q { weight = %d }\n", address, weight)
	}
	for k := range nodesEach - len(l.backends) {
		fmt.Fprintf(b, "  node \"10.255.255.%d:8080\" { weight = 0 }\n", k+1)
	}
	b.WriteString("}\n")
	l.service(b, "probed", api{"stays", "/probe"}, api{"moves", paths[s.route]})
}

func (l layout) added(b *strings.Builder) {
	fmt.Fprintf(b, "\nupstream \"added\" {\n  vpc      = vpc.main\n  protocol = \"http\"\n\n  node %q { weight = 1 }\n", l.backends[0])
	for k := range nodesEach - 1 {
		fmt.Fprintf(b, "  node \"10.255.254.%d:8080\" { weight = 0 }\n", k+1)
	}
	b.WriteString("}\n")
	l.service(b, "added", api{"items", "/added"})
}

type api struct{ name, path string }

// service writes a service whose APIs go to the upstream of the same name.
func (l layout) service(b *strings.Builder, name string, apis ...api) {
	fmt.Fprintf(b, "\nservice %q {\n  instance = instance.edge\n  domains  = [%q]\n", name, l.domain(name))
	for _, a := range apis {
		fmt.Fprintf(b, "\n  api %q {\n    path = %q\n    backend {\n      upstream = upstream.%s\n    }\n  }\n", a.name, a.path, name)
	}
	b.WriteString("}\n")
}

func (l layout) domain(service string) string {
	if l.oneDomain {
		return "bench.example.com"
	}
	return strings.ReplaceAll(service, "_", "-") + ".example.com"
}

// sign is the request whose answer shows that an edit of this kind has led to a state, and the answers before and after.
func (l layout) sign(e edit, s state) question {
	missing, first := answer{status: 404}, answer{200, backendNames[0]}
	switch {
	case e.to.added && s.added:
		return question{l.domain("added"), "/added", missing, first}
	case e.to.added:
		return question{l.domain("added"), "/added", first, missing}
	case e.to.route != 0:
		return question{l.domain("probed"), paths[s.route], missing, first}
	default:
		return question{l.domain("probed"), "/probe", answer{200, backendNames[1-s.node]}, answer{200, backendNames[s.node]}}
	}
}

// works is the request whose answer shows that Envoy serves the configuration.
func (l layout) works() question { return l.sign(edits[0], state{}) }
