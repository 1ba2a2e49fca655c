package xds

import (
	"fmt"
	"net"
	"slices"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
)

// TestEnvoyCulprit: several endpoints change, and Envoy's words do not name the one that is wrong.
func TestEnvoyCulprit(t *testing.T) {
	for protocol, api := range protocols {
		t.Run(protocol, func(t *testing.T) {
			f := start(t, "tcp")
			one, two := backend(t, "one"), backend(t, "two")
			set := func(port int, host string) []proto.Message {
				var groups [][]proto.Message
				for _, name := range []string{"a", "b", "c", "d", "e"} {
					groups = append(groups, upstream(name, 0, port))
				}
				groups[2] = []proto.Message{cluster("c", 0), assignment("c", host, port)}
				return gateway(t, "a", groups...)
			}
			good := f.publish(t, set(one, "127.0.0.1")...)
			e := startEnvoy(t, f, api)
			e.answers(t, "one")
			eventually(t, "all of the first set is acknowledged", func() bool { // or there is nothing to be put back to
				p := f.Proxies()
				return len(p) == 1 && p[0].Snapshot == good.Hash()
			})
			f.publish(t, set(two, "not-an-address")...)
			if r := <-f.refusals; fmt.Sprint(names(r.Resources)) != "[c]" {
				t.Errorf("refusal: %+v, of %v", r, names(r.Resources))
			}
			e.answers(t, "one") // put back, also where it took the new endpoints
			f.publish(t, set(two, "127.0.0.1")...)
			e.answers(t, "two")
			if len(f.refusals) > 0 {
				t.Errorf("refused again: %+v", <-f.refusals)
			}
		})
	}
}

// TestEnvoyPutBack: one of two proxies cannot have a listener. It goes back to what it had, and the other one does not.
func TestEnvoyPutBack(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f := start(t, "tcp")
	one, two := backend(t, "one"), backend(t, "two")
	good := f.publish(t, gateway(t, "a", upstream("a", 0, one), upstream("b", 0, two))...)
	e := startEnvoy(t, f, protocols["delta"])
	e.answers(t, "one")
	other := f.delta(t, &corev3.Node{Id: "other", Cluster: "edge"})
	other.settle()

	more := forwarding(t, "http")
	more.Name, more.Address = "more", address("127.0.0.1", taken.Addr().(*net.TCPAddr).Port)
	bad := f.publish(t, append(gateway(t, "b", upstream("a", 0, one), upstream("b", 0, two)), more)...)
	other.take("listeners: more")
	other.take("routes: http")
	if r := <-f.refusals; r.Node != "envoy-1" || fmt.Sprint(names(r.Resources)) != "[more]" {
		t.Errorf("refusal: %+v", r)
	}
	at := func(node string) (p Proxy) {
		for _, x := range f.Proxies() {
			if x.Node == node {
				p = x
			}
		}
		return p
	}
	eventually(t, "one is put back, the other is not", func() bool {
		return at("envoy-1").Snapshot == good.Hash() && at("other").Snapshot == bad.Hash()
	})
	e.answers(t, "one")
	refuses := func(s TypeState) bool { return s.Type == typeURLs[listeners] && s.Refused != nil }
	if p := at("envoy-1"); p.Wanted != bad.Hash() || !slices.ContainsFunc(p.Types, refuses) {
		t.Errorf("what it refused is not to be seen: %+v", p)
	}

	taken.Close()
	f.Retry()
	e.answers(t, "two")
	eventually(t, "it took the rest", func() bool { return at("envoy-1").Snapshot == bad.Hash() })
}
