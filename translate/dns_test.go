package translate

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	dnsclusterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dns/v3"
	caresv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/network/dns_resolver/cares/v3"
	"golang.org/x/net/dns/dnsmessage"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirproxy/weir/model"
)

// dnsServer answers A queries for the names that it has been told.
type dnsServer struct {
	t    *testing.T
	conn net.PacketConn

	mu      sync.Mutex
	records map[string]dnsRecord
	queries map[string]int
}

// dnsRecord is what is known of a name. A server has none of a name that does not exist.
type dnsRecord struct {
	addresses []string
	fails     bool // SERVFAIL
	silent    bool // no answer at all
}

func startDNS(t *testing.T) *dnsServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dnsServer{t: t, conn: conn, records: map[string]dnsRecord{}, queries: map[string]int{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve()
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return s
}

func (s *dnsServer) serve() {
	buffer := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var query dnsmessage.Message
		if query.Unpack(buffer[:n]) != nil || len(query.Questions) != 1 {
			continue
		}
		if answer := s.answer(&query); answer != nil {
			_, _ = s.conn.WriteTo(answer, from)
		}
	}
}

// answer is nil where the server is silent.
func (s *dnsServer) answer(query *dnsmessage.Message) []byte {
	question := query.Questions[0]
	name := strings.TrimSuffix(question.Name.String(), ".")
	s.mu.Lock()
	record, known := s.records[name]
	s.queries[name]++
	s.mu.Unlock()
	out := dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true}, Questions: query.Questions}
	switch {
	case record.silent:
		return nil
	case record.fails:
		out.RCode = dnsmessage.RCodeServerFailure
	case !known:
		out.RCode = dnsmessage.RCodeNameError
	case question.Type == dnsmessage.TypeA:
		for _, address := range record.addresses {
			out.Answers = append(out.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: netip.MustParseAddr(address).As4()},
			})
		}
	}
	packed, err := out.Pack()
	if err != nil {
		s.t.Error(err)
	}
	return packed
}

// tell changes what is known of a name.
func (s *dnsServer) tell(name string, record dnsRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[name] = record
}

// forget has a name not exist.
func (s *dnsServer) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, name)
}

// asked waits until a name was asked for so many times more.
func (s *dnsServer) asked(name string, times int) {
	s.t.Helper()
	count := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.queries[name]
	}
	before := count()
	eventually(s.t, name+" is asked for", func() bool { return count() >= before+times })
}

// resolvedBy are the resources with a resolver of the test's own, which is asked often.
func resolvedBy(t *testing.T, s *dnsServer, resources []Resource) []Resource {
	t.Helper()
	address := s.conn.LocalAddr().(*net.UDPAddr)
	for i, r := range resources {
		cluster, ok := r.Message.(*clusterv3.Cluster)
		if !ok || cluster.GetClusterType() == nil {
			continue
		}
		cluster = proto.Clone(cluster).(*clusterv3.Cluster)
		dns, cares := &dnsclusterv3.DnsCluster{}, &caresv3.CaresDnsResolverConfig{}
		if err := cluster.GetClusterType().TypedConfig.UnmarshalTo(dns); err != nil {
			t.Fatal(err)
		}
		if err := dns.TypedDnsResolverConfig.TypedConfig.UnmarshalTo(cares); err != nil {
			t.Fatal(err)
		}
		cares.Resolvers = []*corev3.Address{hostAddress("127.0.0.1", uint16(address.Port))}
		cares.Resolvers[0].GetSocketAddress().Protocol = corev3.SocketAddress_UDP
		dns.TypedDnsResolverConfig.TypedConfig = pack(cares)
		dns.DnsRefreshRate = durationpb.New(100 * time.Millisecond)
		cluster.GetClusterType().TypedConfig = pack(dns)
		resources[i].Message = cluster
	}
	return resources
}

// startPair starts nodes on one port of 127.0.0.1 and of 127.0.0.2, as a name with two addresses has.
func startPair(t *testing.T, name string) (port string) {
	t.Helper()
	for range 20 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(first.Addr().String())
		second, err := net.Listen("tcp", "127.0.0.2:"+port)
		if err != nil {
			_ = first.Close()
			continue // somebody has it
		}
		serveNamed(t, first, name+"/1")
		serveNamed(t, second, name+"/2")
		return port
	}
	t.Fatal("no port is free on two addresses")
	return ""
}

// Nodes that are names: the addresses of one share its weight, new ones are followed; a server that fails or is silent
// changes nothing, and a name that does not exist takes its node away, and no other.
func TestNames(t *testing.T) {
	dns := startDNS(t)
	both, single := startPair(t, "both"), startPair(t, "single")
	dns.tell("both.test", dnsRecord{addresses: []string{"127.0.0.1", "127.0.0.2"}})
	dns.tell("single.test", dnsRecord{addresses: []string{"127.0.0.1"}})
	c := edge()
	addUpstream(c, "shares", model.HTTP, "both.test:"+both, "single.test:"+single)
	for _, name := range []string{"moves", "vanishes", "fails", "falls_silent"} {
		dns.tell(name+".test", dnsRecord{addresses: []string{"127.0.0.1"}})
		addUpstream(c, name, model.HTTP, name+".test:"+single)
	}
	addUpstream(c, "mixed", model.HTTP, "vanishes.test:"+single, "127.0.0.2:"+both)
	var apis []*model.API
	for name := range c.Upstreams {
		apis = append(apis, forwardAPI(name, "/"+name, name, ""))
	}
	addService(c, "shop", "", apis...)
	g := startEnvoy(t, resolvedBy(t, dns, Instance(c, "edge")), nil)
	caller := g.dial("http", nil)
	ask := func(path string) string {
		a := caller.do("GET", "shop.test", path)
		if a.Status != 200 {
			return "503"
		}
		return a.Body
	}
	got := map[string]int{}
	for range 400 {
		got[ask("/shares")]++
	}
	if got["single/1"] < 190 || got["single/1"] > 210 || got["both/1"] < 90 || got["both/1"] > 110 || got["both/2"] < 90 || got["both/2"] > 110 {
		t.Errorf("two names of equal weight, one with two addresses: %v", got)
	}

	dns.tell("moves.test", dnsRecord{addresses: []string{"127.0.0.2"}})
	eventually(t, "the new address is asked", func() bool { return ask("/moves") == "single/2" })
	dns.tell("fails.test", dnsRecord{fails: true})
	dns.tell("falls_silent.test", dnsRecord{silent: true})
	dns.asked("fails.test", 3)
	dns.asked("falls_silent.test", 2)
	for _, name := range []string{"fails", "falls_silent"} {
		if got := ask("/" + name); got != "single/1" {
			t.Errorf("%s: answered by %s, want the last address that is known", name, got)
		}
	}
	dns.forget("vanishes.test")
	eventually(t, "a name that does not exist has no node", func() bool { return ask("/vanishes") == "503" })
	eventually(t, "the other node of its upstream has all", func() bool {
		for range 10 {
			if ask("/mixed") != "both/2" {
				return false
			}
		}
		return true
	})
	dns.tell("vanishes.test", dnsRecord{addresses: []string{"127.0.0.2"}})
	eventually(t, "it exists again", func() bool { return ask("/vanishes") == "single/2" })
}

// A name that never resolves holds up a starting Envoy for a moment, and takes away nothing but its own share.
func TestNamesThatNeverResolve(t *testing.T) {
	dns := startDNS(t)
	port := startPair(t, "node")
	for name, record := range map[string]dnsRecord{"silent.test": {silent: true}, "fails.test": {fails: true}} {
		dns.tell(name, record)
	}
	c := edge()
	for _, name := range []string{"silent", "fails", "unknown"} {
		addUpstream(c, name, model.HTTP, name+".test:"+port)
		addUpstream(c, name+"_and_address", model.HTTP, name+".test:"+port, "127.0.0.1:"+port)
	}
	var apis []*model.API
	for name := range c.Upstreams {
		apis = append(apis, forwardAPI(name, "/"+name, name, ""))
	}
	addService(c, "shop", "", apis...)
	resources := resolvedBy(t, dns, Instance(c, "edge"))
	began := time.Now()
	caller := startEnvoy(t, resources, nil).dial("http", nil)
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("Envoy is open after %s", took)
	} else {
		t.Logf("open after %s", took)
	}
	for _, name := range []string{"silent", "fails", "unknown"} {
		if a := caller.do("GET", "shop.test", "/"+name); a.Status != 503 {
			t.Errorf("%s: %+v", name, a)
		}
		for range 10 {
			if a := caller.do("GET", "shop.test", "/"+name+"_and_address"); a.Body != "node/1" {
				t.Errorf("%s beside an address: %+v", name, a)
			}
		}
	}
}

// serveNamed answers with a name until the test ends.
func serveNamed(t *testing.T, l net.Listener, name string) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
}
