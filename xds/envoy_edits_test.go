package xds

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	caresv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/network/dns_resolver/cares/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

var protocols = map[string]corev3.ApiConfigSource_ApiType{
	"delta":              corev3.ApiConfigSource_DELTA_GRPC,
	"state of the world": corev3.ApiConfigSource_GRPC,
}

func TestEnvoyFollowsEdits(t *testing.T) {
	for protocol, api := range protocols {
		t.Run(protocol, func(t *testing.T) {
			f := start(t, "tcp")
			one, two, three := backend(t, "one"), backend(t, "two"), backend(t, "three")
			f.publish(t, gateway(t, "a", upstream("a", 0, one), upstream("b", 0, two))...)
			e := startEnvoy(t, f, api)
			e.answers(t, "one")

			f.publish(t, gateway(t, "a", upstream("a", 0, three), upstream("b", 0, two))...)
			e.answers(t, "three") // the endpoints changed

			f.publish(t, gateway(t, "b", upstream("a", 0, three), upstream("b", 0, two))...)
			e.answers(t, "two") // the route changed

			began := time.Now()
			f.publish(t, gateway(t, "b", upstream("b", 1, one))...)
			e.answers(t, "one") // cluster and endpoints changed: Envoy must not warm for initial_fetch_timeout, 15 s
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("a changed cluster took %s", took)
			}
			set := f.publish(t, gateway(t, "c", upstream("c", 0, three))...)
			e.answers(t, "three") // everything changed
			eventually(t, "all is taken", func() bool { ps := f.Proxies(); return len(ps) == 1 && ps[0].Snapshot == set.Hash() })
			if clusters, err := e.fetch("http://" + e.admin + "/clusters"); err != nil || strings.Contains(clusters, "\nb::") {
				t.Errorf("cluster b is still there: %v\n%s", err, clusters)
			}
			if len(f.refusals) > 0 {
				t.Errorf("refused: %+v", <-f.refusals)
			}
		})
	}
}

func TestEnvoyRefuses(t *testing.T) {
	for protocol, api := range protocols {
		t.Run(protocol, func(t *testing.T) {
			f := start(t, "tcp")
			one, two := backend(t, "one"), backend(t, "two")
			f.publish(t, gateway(t, "a", upstream("a", 0, one))...)
			e := startEnvoy(t, f, api)
			e.answers(t, "one")

			bad := []proto.Message{cluster("a", 0), assignment("a", "not-an-address", one)}
			f.publish(t, gateway(t, "a", bad)...)
			r := <-f.refusals
			if r.Node != "envoy-1" || r.Instance != "edge" || r.Type != typeURLs[endpoints] ||
				len(r.Resources) != 1 || r.Resources[0].Name() != "a" || !strings.Contains(r.Message, "malformed IP address: not-an-address") {
				t.Errorf("refusal: %+v", r)
			}
			if s := f.typeState(t, endpoints); s.Refused == nil || s.Refused.Message != r.Message || s.Refused.Version != r.Version {
				t.Errorf("state: %+v", s)
			}
			e.answers(t, "one")

			// The next good set works, and until then nothing is refused twice.
			f.publish(t, gateway(t, "a", upstream("a", 0, two))...)
			e.answers(t, "two")
			eventually(t, "the refusal is over", func() bool { return f.typeState(t, endpoints).Refused == nil })
			if len(f.refusals) > 0 {
				t.Errorf("refused again: %+v", <-f.refusals)
			}
		})
	}
}

// TestEnvoyComesBack to another server over the same sets, which has nothing to say to it, and follows that one.
func TestEnvoyComesBack(t *testing.T) {
	f := start(t, "tcp")
	one, two := backend(t, "one"), backend(t, "two")
	set := gateway(t, "a", upstream("a", 0, one))
	hash := f.publish(t, set...).Hash()
	e := startEnvoy(t, f, protocols["delta"])
	e.answers(t, "one")
	eventually(t, "all is taken", func() bool { ps := f.Proxies(); return len(ps) == 1 && ps[0].Snapshot == hash })
	const stats = "/stats?filter=update_(attempt|success|rejected)$"
	before, err := e.fetch("http://" + e.admin + stats)
	if err != nil {
		t.Fatal(err)
	}
	f.stop()
	if err := <-f.stopped; err != nil {
		t.Fatal(err)
	}
	e.answers(t, "one")
	again := startAt(t, "tcp", f.target, patience)
	again.publish(t, set...)
	eventually(t, "Envoy is back", func() bool { ps := again.Proxies(); return len(ps) == 1 && ps[0].Snapshot == hash })
	after, err := e.fetch("http://" + e.admin + stats)
	if err != nil {
		t.Fatal(err)
	}
	if successes(before) != successes(after) {
		t.Errorf("updates before:\n%s\nand after:\n%s", before, after)
	}
	again.publish(t, gateway(t, "a", upstream("a", 0, two))...)
	e.answers(t, "two")
}

// successes are the lines of Envoy's statistics that count updates.
func successes(stats string) string {
	var out []string
	for line := range strings.Lines(stats) {
		if strings.Contains(line, "update_success") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// dns is a cluster whose only endpoint is a name.
func dns(name, host string, port int) []proto.Message {
	c := cluster(name, 0)
	c.EdsClusterConfig, c.LoadAssignment = nil, assignment(name, host, port)
	c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STRICT_DNS}
	c.DnsLookupFamily = clusterv3.Cluster_V4_ONLY
	return one(c)
}

// TestEnvoyWithoutDNS: where nobody answers, a cluster does not get warm and the acknowledgement of clusters does not
// come. That holds other edits up for the patience at most, and cluster edits not at all.
func TestEnvoyWithoutDNS(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cares, err := anypb.New(&caresv3.CaresDnsResolverConfig{
		Resolvers: []*corev3.Address{{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Protocol: corev3.SocketAddress_UDP, Address: "127.0.0.1",
			PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(silent.LocalAddr().(*net.UDPAddr).Port)},
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	mute := dns("c", "nowhere.example", 1)
	mute[0].(*clusterv3.Cluster).TypedDnsResolverConfig = &corev3.TypedExtensionConfig{
		Name: "envoy.network.dns_resolver.cares", TypedConfig: cares,
	}
	f := startPatient(t, "tcp", 200*time.Millisecond)
	one, two := backend(t, "one"), backend(t, "two")
	f.publish(t, gateway(t, "a", upstream("a", 0, one), upstream("b", 0, two))...)
	e := startEnvoy(t, f, protocols["delta"])
	e.answers(t, "one")

	before := f.typeState(t, clusters).Acknowledged
	f.publish(t, gateway(t, "b", upstream("a", 0, one), upstream("b", 0, two), mute)...)
	e.answers(t, "two")
	f.publish(t, gateway(t, "b", upstream("a", 0, one), upstream("b", 1, one), mute)...)
	e.answers(t, "one")
	if now := f.typeState(t, clusters).Acknowledged; now != before {
		t.Error("Envoy acknowledged clusters of which one is not warm: this test shows nothing")
	}
}

// TestEnvoyLosesNothing renames the upstream that all traffic goes to, again and again, under load.
func TestEnvoyLosesNothing(t *testing.T) {
	addresses := func(name string, port int) []proto.Message { return upstream(name, 0, port) }
	names := func(name string, port int) []proto.Message { return dns(name, "localhost", port) }
	for _, c := range []struct {
		what     string
		protocol string
		pause    time.Duration
		upstream func(name string, port int) []proto.Message
	}{
		{"addresses", "delta", 50 * time.Millisecond, addresses},
		{"addresses at once", "delta", 5 * time.Millisecond, addresses},
		{"names", "delta", 50 * time.Millisecond, names},
		{"addresses", "state of the world", 50 * time.Millisecond, addresses},
		{"addresses at once", "state of the world", 5 * time.Millisecond, addresses},
	} {
		t.Run(c.protocol+" "+c.what, func(t *testing.T) {
			f := start(t, "tcp")
			port := backend(t, "one")
			f.publish(t, gateway(t, "a0", c.upstream("a0", port))...)
			e := startEnvoy(t, f, protocols[c.protocol])
			e.answers(t, "one")
			began := time.Now()
			sum := e.load(t, 8, func() { rename(t, f, e, c.pause, func(name string) []proto.Message { return c.upstream(name, port) }) })
			t.Logf("%d requests, %d lost", sum.requests, sum.lost)
			if took := time.Since(began) - 40*c.pause; took > 5*time.Second {
				t.Errorf("it took %s to come along", took)
			}
			if sum.lost > 0 || sum.requests < 100 {
				t.Errorf("%d of %d requests were lost: %s", sum.lost, sum.requests, sum.words)
			}
		})
	}
}

// rename gives the only upstream forty new names and waits until Envoy knows no other than the last.
func rename(t *testing.T, f *fixture, e *realEnvoy, pause time.Duration, upstream func(name string) []proto.Message) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for i := range 40 {
		<-tick.C
		name := fmt.Sprint("a", i+1)
		f.publish(t, gateway(t, name, upstream(name))...)
	}
	eventually(t, "the last name is live", func() bool {
		dump, err := e.fetch("http://" + e.admin + "/config_dump")
		if err != nil {
			t.Error(err)
		}
		return strings.Contains(dump, `"a40"`) && !strings.Contains(dump, `"a39"`)
	})
}

type tally struct {
	requests, lost int64
	words          string // of the last request that was lost
}

// load sends requests from several clients while work runs.
func (e *realEnvoy) load(t *testing.T, clients int, work func()) tally {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var requests, lost atomic.Int64
	var words atomic.Value
	var g sync.WaitGroup
	for range clients {
		g.Go(func() {
			for ctx.Err() == nil {
				requests.Add(1)
				if _, err := e.fetch(e.url); err != nil {
					lost.Add(1)
					words.Store(err.Error())
				}
			}
		})
	}
	work()
	cancel()
	g.Wait()
	w, _ := words.Load().(string)
	return tally{requests.Load(), lost.Load(), w}
}
