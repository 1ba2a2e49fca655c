package xds

import (
	"fmt"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
)

// sample is a resource of a kind.
func sample(t *testing.T, k kind, name string) *Resource {
	t.Helper()
	r, err := NewResource([kinds]proto.Message{
		clusters: cluster(name, 0), endpoints: assignment(name, "127.0.0.1", 1), secrets: &tlsv3.Secret{Name: name},
		listeners: plain(name, 1), scopes: &routev3.ScopedRouteConfiguration{Name: name}, routes: routing(name, "a"),
	}[k], nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// parseDebts reads "clusters +a *n -b ?c" (to be sent, also as new, to be taken away, asked for and not there), one kind a line.
func parseDebts(t *testing.T, text string) *[kinds]debts {
	t.Helper()
	var out [kinds]debts
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		for k, name := range kindNames {
			if len(words) == 0 || name != words[0] {
				continue
			}
			for _, w := range words[1:] {
				switch w[0] {
				case '+', '*':
					out[k].changed = append(out[k].changed, item{sample(t, kind(k), w[1:]), nil, w[0] == '*'})
				case '-':
					out[k].removed = append(out[k].removed, w[1:])
				case '?':
					out[k].denied = append(out[k].denied, w[1:])
				}
			}
		}
	}
	return &out
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct{ debts, want string }{
		"nothing":                 {"", "| | |"},
		"a node":                  {"endpoints +a", "endpoints +a | | |"},
		"a new upstream":          {"clusters *b\nroutes +r", "clusters +b | | routes +r |"},
		"a changed cluster":       {"clusters +a", "clusters +a, endpoints +a | | |"},
		"cluster and endpoints":   {"clusters +a *c\nendpoints +a *b", "clusters +a +c, endpoints +a +b +c | | |"},
		"a rename":                {"clusters *b -a\nendpoints -a\nroutes +r", "clusters +b | | routes +r | clusters -a, endpoints -a"},
		"a listener's address":    {"listeners *new -old\nroutes *new -old", "| routes +new | listeners +new | listeners -old, routes -old"},
		"an index and its parts":  {"scopes *new -old\nroutes +index *new -old", "| scopes +new, routes +new | routes +index | scopes -old, routes -old"},
		"a certificate":           {"secrets *s -t", "secrets +s | | | secrets -t"},
		"asked for and not there": {"clusters ?x\nendpoints ?y\nlisteners ?z\nroutes ?r", "clusters -x, endpoints -y | | listeners -z, routes -r |"},
		"everything": {
			"routes +r *r1 -r2\nscopes +s *s1 -s2\nlisteners +l -l2\nsecrets +x -x2\nendpoints +e -e2\nclusters +b -b2",
			"clusters +b, endpoints +e, secrets +x | scopes +s1, routes +r1 | listeners +l, scopes +s, routes +r | listeners -l2, scopes -s2, routes -r2, clusters -b2, endpoints -e2, secrets -x2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := plan(parseDebts(t, c.debts), func(assignment string) *Resource {
				if assignment == "a" || assignment == "c" { // the client has these
					return sample(t, endpoints, assignment)
				}
				return nil
			})
			var stages []string
			for _, batches := range got {
				var list []string
				for _, b := range batches {
					words := kindNames[b.kind]
					for _, x := range b.items {
						words += " +" + x.name
					}
					for _, name := range b.removed {
						words += " -" + name
					}
					list = append(list, words)
				}
				stages = append(stages, strings.Join(list, ", "))
			}
			if got := strings.TrimSpace(strings.ReplaceAll(strings.Join(stages, " | "), "  ", " ")); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// comeBack is a client on another stream, with what it has.
func (f *fixture) comeBack(t *testing.T, id string, have ...map[string]string) *deltaClient {
	t.Helper()
	c := f.delta(t, &corev3.Node{Id: id, Cluster: "edge"})
	for k, names := range [][]string{clusters: nil, endpoints: {"a", "b"}} {
		c.askHaving(kind(k), have[k], names...)
	}
	c.askHaving(listeners, have[2])
	c.askHaving(routes, have[3], "http")
	return c
}

// TestRefusalIsRemembered when the client comes back, and forgotten when somebody asks.
func TestRefusalIsRemembered(t *testing.T) {
	f := start(t, "tcp")
	good := f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c, other := f.delta(t, node("edge")), f.delta(t, &corev3.Node{Id: "other", Cluster: "edge"})
	cds, eds, lds, rds := c.settle()
	other.settle()
	bad := f.publish(t, shop("a", upstream("a", 0, 11), upstream("b", 0, 2))...)
	c.nack(c.expect("endpoints: a"), "no")
	c.take("endpoints: a")
	c.quiet()
	other.take("endpoints: a") // takes it
	other.quiet()
	state := func(id string) (p Proxy) {
		for _, x := range f.Proxies() {
			if x.Node == id {
				p = x
			}
		}
		return p
	}
	if x, y := state("test"), state("other"); x.Snapshot != good.Hash() || x.Wanted != bad.Hash() || y.Snapshot != bad.Hash() {
		t.Errorf("one is at %+v, the other at %+v", x, y)
	}
	c.cancel()
	eventually(t, "the stream is forgotten", func() bool { return len(f.Proxies()) == 1 })
	d := f.comeBack(t, "test", versions(cds), versions(eds), versions(lds), versions(rds))
	d.quiet()
	if p := state("test"); p.Snapshot != good.Hash() || p.Types[endpoints].Refused == nil {
		t.Errorf("it came back as %+v", p)
	}
	f.Retry()
	d.take("endpoints: a")
	d.quiet()
	if p := state("test"); p.Snapshot != bad.Hash() || p.Types[endpoints].Refused != nil {
		t.Errorf("after another try: %+v", p)
	}
	if len(f.refusals) != 1 {
		t.Errorf("%d refusals", len(f.refusals))
	}
}

// TestFirstSetRefused: a client that took no set yet gets all of it but what it refuses, and is told at once that endpoints
// which it refuses do not come.
func TestFirstSetRefused(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2), upstream("c", 0, 3))...)
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	c.nack(c.expect("clusters: a b c"), "Error adding/updating cluster(s) c: no")
	c.take("clusters: a b")
	c.ask(endpoints, "a", "b")
	c.nack(c.expect("endpoints: a b"), "malformed")
	c.take("endpoints: a")
	c.nack(c.expect("endpoints: b"), "malformed")
	c.take("endpoints: -b")
	c.ask(listeners)
	c.take("listeners: http")
	c.ask(routes, "http")
	c.take("routes: http")
	c.quiet()
	var got []string
	for range 2 {
		r := <-f.refusals
		got = append(got, fmt.Sprint(names(r.Resources)))
	}
	if p := f.Proxies()[0]; fmt.Sprint(got) != "[[c] [b]]" || p.Snapshot != "" || p.Types[clusters].Refused == nil || p.Types[endpoints].Refused == nil {
		t.Errorf("refusals of %v, %+v", got, p)
	}
	set := f.publish(t, shop("c", upstream("a", 0, 1), upstream("b", 0, 4), upstream("c", 1, 3))...)
	c.take("clusters: c")
	c.take("endpoints: b")
	c.ask(endpoints, "c")
	c.take("endpoints: c")
	c.take("routes: http")
	c.quiet()
	if p := f.Proxies()[0]; p.Snapshot != set.Hash() || p.Types[clusters].Refused != nil {
		t.Errorf("after the fix: %+v", p)
	}
}
