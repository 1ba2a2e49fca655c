package xds

import (
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// An Envoy that comes back while clusters warm asks for them last: routes to clusters that it has not got wait for that.
func TestDeltaReturnsAskingForClustersLast(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	cds, eds, lds, rds := c.settle()
	c.cancel()

	f.publish(t, shop("c", upstream("b", 0, 2), upstream("c", 0, 3))...)
	c = f.delta(t, node("edge"))
	c.askHaving(endpoints, versions(eds), "a", "b")
	c.askHaving(listeners, versions(lds))
	c.askHaving(routes, versions(rds), "http")
	c.quiet()
	c.askHaving(clusters, versions(cds))
	c.take("clusters: c")
	c.quiet()
	c.ask(endpoints, "c")
	c.take("endpoints: c")
	c.take("routes: http")
	c.take("clusters: -a")
	c.take("endpoints: -a")
	c.quiet()
}

// One whose stream ended between a new cluster and its endpoints has the cluster, and cannot use it yet.
func TestDeltaReturnsWithoutEndpoints(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, shop("a", upstream("a", 0, 1), upstream("b", 0, 2))...)
	c := f.delta(t, node("edge"))
	cds, eds, lds, rds := c.settle()
	f.publish(t, shop("c", upstream("a", 0, 1), upstream("b", 0, 2), upstream("c", 0, 3))...)
	more := c.expect("clusters: c")
	c.cancel()

	c = f.delta(t, node("edge"))
	c.askHaving(clusters, versions(cds, more))
	c.askHaving(endpoints, versions(eds), "a", "b", "c")
	c.askHaving(listeners, versions(lds))
	c.askHaving(routes, versions(rds), "http")
	added := c.expect("endpoints: c")
	c.quiet()
	c.ack(added)
	c.take("routes: http")
	c.quiet()
}

// An Envoy that refused its only listener (the port was taken) has the scopes that this one asked for, and on its next stream
// the listener waits for them.
func TestDeltaReturnsWithScopesOfARefusedListener(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	scope := &routev3.ScopedRouteConfiguration{Name: "s", RouteConfigurationName: "r"}
	set := f.publish(t, plain("l", 1), scope, routing("r", "c"))
	c := f.delta(t, node("edge"))
	c.ask(listeners)
	c.expect("listeners: l")
	c.askHaving(scopes, map[string]string{"s": set.Get(Key{typeURLs[scopes], "s"}).Version()})
	c.take("scopes: s")
}
