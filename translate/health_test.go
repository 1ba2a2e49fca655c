package translate

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/weirproxy/weir/model"
)

// check is a health check that is quick, so that tests are.
func check(kind model.HealthCheckType) *model.HealthCheck {
	h := &model.HealthCheck{Type: kind, Interval: 20 * time.Millisecond, Timeout: 5 * time.Second, HealthyThreshold: 2, UnhealthyThreshold: 3}
	if kind == model.CheckHTTP {
		h.Path, h.Statuses = "/health?full", []model.StatusRange{{First: 200, Last: 299}}
	}
	return h
}

// checkedNode answers checks with a status that can be changed, and counts what it gets else.
type checkedNode struct {
	address string
	status  atomic.Int32
	checks  atomic.Int32
	served  atomic.Int32
	host    atomic.Value // of the last check
}

func startCheckedNode(t *testing.T, config *tls.Config) *checkedNode {
	t.Helper()
	n := new(checkedNode)
	n.status.Store(204)
	started := startTLSNode(t, func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/health?full" {
			n.served.Add(1)
			return
		}
		n.host.Store(r.Host)
		n.checks.Add(1)
		w.WriteHeader(int(n.status.Load()))
	}, config)
	go func() {
		for range started.requests { // there are more than it keeps
		}
	}()
	t.Cleanup(func() { close(started.requests) })
	n.address = started.address
	return n
}

// healthy is how many nodes of an upstream Envoy takes for healthy.
func (g *gateway) healthy(upstream string) string { return g.stat(upstream, "membership_healthy") }

// A node whose check fails gets no request until it is well again; and where none is left, callers are told at once.
func TestHealthCheck(t *testing.T) {
	certificate, key := selfSigned(t, "orders.internal")
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	c := edge()
	nodes := map[string][2]*checkedNode{}
	for _, name := range []string{"plain", "secure", "panics", "usual"} {
		var config *tls.Config
		if name == "secure" {
			config = &tls.Config{Certificates: []tls.Certificate{pair}}
		}
		nodes[name] = [2]*checkedNode{startCheckedNode(t, config), startCheckedNode(t, config)}
		u := addUpstream(c, name, model.HTTP, nodes[name][0].address, nodes[name][1].address)
		u.HealthCheck = check(model.CheckHTTP)
		u.Retries, u.Retry.On = 0, []string{} // each request is one attempt
		switch name {
		case "secure":
			u.Protocol, u.HostHeader = model.HTTPS, "orders.internal:8443"
			u.HealthCheck.Host = u.HostHeader
		case "panics":
			u.PanicThreshold = 60
		case "usual":
			u.PanicThreshold = model.DefaultPanicThreshold
		}
	}
	var apis []*model.API
	for name := range c.Upstreams {
		apis = append(apis, forwardAPI(name, "/"+name, name, ""))
	}
	addService(c, "shop", "", apis...)
	g := startEnvoy(t, cutUp(c), certificate)
	caller := g.dial("http", nil)
	// shares waits until 20 requests are answered with the status and shared as wanted: workers learn of a node's health a
	// moment after the statistics do.
	shares := func(name, what string, status int, first, second int32) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s: %s, shares of %d and %d", name, what, first, second), func() bool {
			before := [2]int32{nodes[name][0].served.Load(), nodes[name][1].served.Load()}
			for range 20 {
				if caller.do("GET", "shop.test", "/"+name).Status != status {
					return false
				}
			}
			return nodes[name][0].served.Load()-before[0] == first && nodes[name][1].served.Load()-before[1] == second
		})
	}
	for name, pair := range nodes {
		shares(name, "both are well", 200, 10, 10)
		want := pair[0].address
		if name == "secure" {
			want = "orders.internal:8443"
		}
		if host := pair[0].host.Load(); host != want {
			t.Errorf("%s: the check asks for %q, want %q", name, host, want)
		}
		pair[0].status.Store(500)
		eventually(t, "one node is ill", func() bool { return g.healthy(name) == "1" })
		if name == "panics" { // half of the nodes are less than 60 %
			shares(name, "one is ill", 200, 10, 10)
			continue
		}
		shares(name, "one is ill", 200, 0, 20)
		pair[1].status.Store(500)
		if name == "usual" { // where none is healthy, the check is more likely wrong than all of them
			shares(name, "both are ill", 200, 10, 10)
		} else {
			shares(name, "both are ill", 503, 0, 0)
		}
		pair[0].status.Store(200)
		shares(name, "one is well again", 200, 20, 0)
	}
}

// Bad answers count one by one: the threshold is not passed over.
func TestUnhealthyThreshold(t *testing.T) {
	c := edge()
	n := startCheckedNode(t, nil)
	u := addUpstream(c, "patient", model.HTTP, n.address)
	u.HealthCheck = check(model.CheckHTTP)
	u.HealthCheck.UnhealthyThreshold = 10
	g := eachUpstream(t, c)
	n.status.Store(503)
	before := n.checks.Load()
	eventually(t, "the node is ill", func() bool { return g.healthy("patient") == "0" })
	if got := n.checks.Load() - before; got < 10 {
		t.Errorf("ill after %d bad answers, want 10", got)
	}
}

// An ill node is well after as many good answers in a row as is said, and which answers are good is said, too.
func TestHealthyThreshold(t *testing.T) {
	c := edge()
	n := startCheckedNode(t, nil)
	u := addUpstream(c, "slow_to_trust", model.HTTP, n.address)
	u.HealthCheck = check(model.CheckHTTP)
	u.HealthCheck.HealthyThreshold, u.HealthCheck.UnhealthyThreshold = 10, 1
	u.HealthCheck.Statuses = []model.StatusRange{{First: 200, Last: 200}, {First: 301, Last: 308}}
	n.status.Store(302)
	g := eachUpstream(t, c)
	eventually(t, "302 is a good answer", func() bool { return g.healthy(u.Name) == "1" })
	n.status.Store(204)
	eventually(t, "204 is none", func() bool { return g.healthy(u.Name) == "0" })
	before := n.checks.Load()
	n.status.Store(308)
	eventually(t, "the node is well again", func() bool { return g.healthy(u.Name) == "1" })
	if got := n.checks.Load() - before; got < 10 {
		t.Errorf("well after %d good answers, want 10", got)
	}
}

// The other kinds of check: a connection, and a gRPC call, which a server without the service refuses.
func TestOtherHealthChecks(t *testing.T) {
	c := edge()
	alive := startNode(t, nil)
	serving, silent := startGRPCNode(t, codes.OK, nil), startGRPCNode(t, codes.Unimplemented, nil)
	addUpstream(c, "tcp", model.HTTP, alive.address, "127.0.0.1:1").HealthCheck = check(model.CheckTCP)
	addUpstream(c, "grpc", model.GRPC, serving.address, silent.address).HealthCheck = check(model.CheckGRPC)
	named := addUpstream(c, "named", model.GRPC, serving.address, strings.Replace(silent.address, "127.0.0.1", "localhost", 1))
	named.HealthCheck = check(model.CheckGRPC)
	named.HealthCheck.Service = "unknown"
	g := eachUpstream(t, c)
	for name, want := range map[string]string{"tcp": "1", "grpc": "1", "named": "0"} {
		eventually(t, fmt.Sprintf("%s: %s healthy nodes", name, want), func() bool { return g.healthy(name) == want })
	}
}

// A node that fails requests is taken out for a while, and comes back.
func TestOutlierDetection(t *testing.T) {
	c := edge()
	var bad atomic.Bool
	failing := startNode(t, func(w http.ResponseWriter, _ *http.Request) {
		if bad.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	good := startNode(t, nil)
	detect := func(name string, o model.OutlierDetection, nodes ...string) {
		o.Interval, o.MaxEjectionPercent = 20*time.Millisecond, 50
		if o.BaseEjectionTime == 0 {
			o.BaseEjectionTime = time.Minute
		}
		o.MaxEjectionTime = o.BaseEjectionTime
		u := addUpstream(c, name, model.HTTP, nodes...)
		u.Outliers, u.Retries, u.Retry.On = &o, 0, []string{}
	}
	detect("answers", model.OutlierDetection{Consecutive5xx: 5}, failing.address, good.address)
	detect("gateway", model.OutlierDetection{ConsecutiveGatewayFailure: 5}, failing.address, good.address)
	detect("dead", model.OutlierDetection{ConsecutiveLocalOriginFailure: 5}, "127.0.0.1:1", good.address)
	detect("brief", model.OutlierDetection{Consecutive5xx: 5, BaseEjectionTime: 50 * time.Millisecond}, failing.address, good.address)
	detect("lone", model.OutlierDetection{Consecutive5xx: 5}, failing.address)
	g := eachUpstream(t, c)
	caller := g.dial("http", nil)
	ask := func(name string, times int) (failed int) {
		for range times {
			if caller.do("GET", "shop.test", "/"+name).Status >= 500 {
				failed++
			}
		}
		return failed
	}
	bad.Store(true)
	// Workers learn that a node is out a moment after the fifth failure.
	for _, name := range []string{"answers", "dead"} {
		if failed := ask(name, 8); failed != 4 {
			t.Errorf("%s: %d of the first 8 requests failed, want 4", name, failed)
		}
		eventually(t, name+": the node is taken out", func() bool { return ask(name, 20) == 0 })
	}
	for name, want := range map[string][2]int{"gateway": {50, 50}, "brief": {5, 50}, "lone": {100, 100}} {
		if failed := ask(name, 100); failed < want[0] || failed > want[1] {
			t.Errorf("%s: %d of 100 requests failed, want %v", name, failed, want)
		}
	}
	bad.Store(false)
	drain(t, failing, good)
	eventually(t, "a node that was taken out is back", func() bool { return ask("brief", 2) == 0 && drain(t, failing) > 0 })
	if failed := ask("answers", 20); failed > 0 || drain(t, failing) > 0 {
		t.Error("a node that was taken out for a minute is back already")
	}
}
