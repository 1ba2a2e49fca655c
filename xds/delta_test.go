package xds

import (
	"testing"
)

func TestDeltaFollowsAnEdit(t *testing.T) {
	f := start(t, "tcp")
	f.publish(t, all(upstream("a", 0, 1), upstream("b", 0, 2), one(plain("http", 80), routing("http", "a")))...)
	c := f.delta(t, node("edge"))
	c.ask(clusters)
	c.take("clusters: a b")
	c.ask(endpoints, "a", "b")
	c.take("endpoints: a b")
	c.ask(listeners)
	c.take("listeners: http")
	c.ask(routes, "http")
	c.take("routes: http")
	c.quiet()

	f.publish(t, all(upstream("a", 0, 1), upstream("b", 0, 3), one(plain("http", 80), routing("http", "a")))...)
	c.take("endpoints: b")
	c.quiet()

	f.publish(t, all(upstream("a", 0, 1), upstream("b", 0, 3), one(plain("http", 80), routing("http", "b")))...)
	c.take("routes: http")
	c.quiet()
}
