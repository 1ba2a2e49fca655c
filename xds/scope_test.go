package xds

import (
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
)

// scoped is a scope with its routes, which lead to a cluster.
func scoped(name, to string) []proto.Message {
	return one(&routev3.ScopedRouteConfiguration{
		Name: name, RouteConfigurationName: name,
		Key: &routev3.ScopedRouteConfiguration_Key{Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{{
			Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: name},
		}}},
	}, routing(name, to))
}

// TestDeltaScopes holds that what leads to a new scope is changed when the client has the routes of that, and that a scope
// that nothing leads to any more is taken away after that.
func TestDeltaScopes(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, all(upstream("a", 0, 1), upstream("b", 0, 2), one(plain("http", 80)), scoped("index", "a"), scoped("old", "a"))...)
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	c.take("clusters: a b")
	c.ask(endpoints, "a", "b")
	c.take("endpoints: a b")
	c.ask(listeners)
	c.take("listeners: http")
	c.ask(scopes)
	c.take("scopes: index old")
	c.ask(routes, "index", "old")
	c.take("routes: index old")
	c.quiet()

	f.publish(t, all(upstream("a", 0, 1), upstream("b", 0, 2), one(plain("http", 80)), scoped("index", "b"), scoped("new", "b"))...)
	added := c.expect("scopes: new")
	c.quiet()
	c.ack(added)
	c.quiet() // until it has asked for the routes, and has them
	c.ask(routes, "new")
	fresh := c.expect("routes: new")
	c.quiet()
	c.ack(fresh)
	index := c.expect("routes: index")
	c.quiet()
	c.ack(index)
	c.take("scopes: -old")
	c.take("routes: -old")
	c.quiet()
}

// TestDeltaScopeRefused holds that nobody waits for the routes of a scope that was refused.
func TestDeltaScopeRefused(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, all(upstream("a", 0, 1), one(plain("http", 80)), scoped("index", "a"))...)
	c := f.delta(t, node("edge"))
	for _, step := range []struct {
		kind  kind
		names []string
		want  string
	}{{clusters, nil, "clusters: a"}, {endpoints, []string{"a"}, "endpoints: a"}, {listeners, nil, "listeners: http"}, {scopes, nil, "scopes: index"}, {routes, []string{"index"}, "routes: index"}} {
		c.ask(step.kind, step.names...)
		c.take(step.want)
	}
	f.publish(t, all(upstream("a", 0, 2), one(plain("http", 80)), scoped("index", "a"), scoped("new", "a"))...)
	c.take("endpoints: a")
	c.nack(c.expect("scopes: new"), "new: no")
	c.take("endpoints: a") // it is put back
	c.take("scopes: -new")
	c.quiet()
	f.publish(t, all(upstream("a", 0, 3), one(plain("http", 81)), scoped("index", "a"))...)
	c.take("endpoints: a")
	c.take("listeners: http")
	c.take("scopes: index")
	c.quiet()
}

// TestDeltaListenerRepeatsScopes holds that a listener that comes later gets the scopes, for which Envoy does not ask again.
func TestDeltaListenerRepeatsScopes(t *testing.T) {
	f := startPatient(t, "tcp", time.Hour)
	f.publish(t, all(upstream("a", 0, 1), one(plain("http", 80)), scoped("index", "a"))...)
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	c.take("clusters: a")
	c.ask(endpoints, "a")
	c.take("endpoints: a")
	c.ask(listeners)
	c.take("listeners: http")
	c.ask(scopes)
	c.take("scopes: index")
	c.ask(routes, "index")
	c.take("routes: index")
	c.quiet()
	f.publish(t, all(upstream("a", 0, 1), one(plain("web", 80)), scoped("index", "a"))...)
	c.take("listeners: web")
	c.take("scopes: index")
	c.take("listeners: -http")
	c.quiet()
}
