package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// The reference page, played in networks that are really apart: the upstream is created, an API with it as backend,
// and called; but for the call to succeed the VPCs must be connected, for weir and in fact.
func TestVPCsAreNetworks(t *testing.T) {
	t.Parallel()
	c := startClouds(t)
	c.answered(t, "edge-1", "/stock", "stock")
	c.answered(t, "edge-2", "/stock", "stock")
	l := startLoad(t, c.through("edge-1", "/stock"))
	orders := []string{c.address(t, "orders-a", "legacy"), c.address(t, "orders-b", "legacy")}

	// Step 1: the upstream, in a VPC that the instance is not in. It is of no use to anybody yet.
	c.save(t, "orders.hcl", vpcUpstream("orders", "legacy", orders...))
	c.accepts(t)
	// Step 2: the API on the service that is mounted on the instance. weir refuses it, and it could not work.
	services := filepath.Join(c.dir, "services.hcl")
	writeFile(t, services, mounted("shop", "edge", "stock", "orders")+mounted("desk", "back"))
	c.refuses(t, "services.hcl line", "prod", "legacy", "ccn")
	c.unreachable(t, "bypass", "/orders")
	must(t, c.through("edge-1", "/orders").wants(http.StatusNotFound, ""))

	// The CCN in the files, by the swap of a ConfigMap: weir takes the API, but the networks are still apart.
	folder := filepath.Join(c.dir, "network")
	swapConfigMap(t, folder, "1", files{"ccn.hcl": ccn("backbone", "prod", "legacy")})
	c.accepts(t)
	c.unreachable(t, "edge-1", "/orders")
	c.unreachable(t, "bypass", "/orders")
	// The CCN in fact. Step 3: the API is called.
	c.join(t, "legacy", "edge-1", "edge-2", "bypass")
	c.answered(t, "bypass", "/orders", "orders-a")
	c.answered(t, "edge-1", "/orders", "orders-a", "orders-b")
	c.answered(t, "edge-2", "/orders", "orders-a", "orders-b")

	playOtherInstance(t, c, services)
	playSecondCCN(t, c, folder)
	playRemoval(t, c, services, folder)
	l.stop(t)
}

// playOtherInstance uses the CCN in its other direction: an instance in legacy opens what runs in prod.
func playOtherInstance(t *testing.T, c *clouds, services string) {
	t.Helper()
	writeFile(t, services, mounted("shop", "edge", "stock", "orders")+mounted("desk", "back", "orders", "stock"))
	c.answered(t, "back-1", "/orders", "orders-a", "orders-b")
	c.unreachable(t, "back-1", "/stock")
	c.join(t, "prod", "back-1", "back-2")
	c.answered(t, "back-1", "/stock", "stock")
	c.answered(t, "back-2", "/stock", "stock")
}

// playSecondCCN: prod reaches legacy and legacy reaches island, but prod does not reach island.
func playSecondCCN(t *testing.T, c *clouds, folder string) {
	t.Helper()
	two := ccn("backbone", "prod", "legacy") + ccn("ferry", "legacy", "island")
	swapConfigMap(t, folder, "2", files{"ccn.hcl": two})
	c.join(t, "island", "back-1", "back-2")
	c.save(t, "island.hcl", vpcUpstream("island", "island", c.address(t, "castaway", "island"))+mounted("beach", "back", "island"))
	c.answered(t, "back-1", "/island", "castaway")
	c.save(t, "far.hcl", mounted("far", "edge", "island"))
	c.refuses(t, "far.hcl line", "prod", "island")
	c.unreachable(t, "bypass", "/island")
	must(t, os.Remove(filepath.Join(c.dir, "far.hcl")))
	c.accepts(t)
}

// playRemoval: what APIs use cannot be removed, neither the CCN nor the upstream; afterwards it can.
func playRemoval(t *testing.T, c *clouds, services, folder string) {
	t.Helper()
	shown := weir(t, "upstreams", "orders", "--admin-address", c.weir.admin).must(t).stdout
	if err := containsAll(shown, "shop", "desk", "/orders"); err != nil {
		t.Errorf("the associated APIs: %v", err)
	}
	swapConfigMap(t, folder, "3", files{"ccn.hcl": ccn("ferry", "legacy", "island")})
	c.refuses(t, "services.hcl line", "prod", "legacy")
	swapConfigMap(t, folder, "4", files{"ccn.hcl": ccn("backbone", "prod", "legacy") + ccn("ferry", "legacy", "island")})
	c.accepts(t)

	must(t, os.Remove(filepath.Join(c.dir, "orders.hcl")))
	c.refuses(t, "services.hcl line", "shop/orders", "desk/orders")
	c.answered(t, "edge-1", "/orders", "orders-a", "orders-b")
	writeFile(t, services, mounted("shop", "edge", "stock")+mounted("desk", "back", "stock"))
	for _, proxy := range []string{"edge-1", "edge-2", "back-1", "back-2"} {
		eventually(t, editBound, "the API is gone from "+proxy, notFound(c.through(proxy, "/orders")))
		c.answered(t, proxy, "/stock", "stock")
	}
	c.accepts(t)
	if status, body, err := c.weir.page("/api/v1/upstreams/orders"); err != nil || status != http.StatusNotFound {
		t.Errorf("the removed upstream is answered with %d %s, %v", status, body, err)
	}
}
