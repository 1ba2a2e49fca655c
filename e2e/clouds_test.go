package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// clouds is a private cloud made of containers. A VPC is a network, whose subnet is the VPC's cidr_blocks; nodes, and the
// Envoys of an instance, are containers in the network of their VPC. A CCN is that the Envoys are joined to the networks
// of the VPCs that it connects. The network "control" is how every Envoy reaches weir, and nothing else is on it.
type clouds struct {
	*cluster
	dir     string         // the configuration, mounted into weir's container
	weir    *gateway       // its admin address, on loopback
	proxies map[string]int // the Envoys: on which port of loopback they listen
}

// vpcsText are the VPCs and the instances that live in them.
const vpcsText = `
vpc "prod"   { cidr_blocks = ["<prod>"] }
vpc "legacy" { cidr_blocks = ["<legacy>"] }
vpc "island" { cidr_blocks = ["<island>"] }

instance "edge" {
  vpc = vpc.prod
  listener "http" { port = 8080 }
}
instance "back" {
  vpc = vpc.legacy
  listener "http" { port = 8080 }
}
`

// startClouds starts weir, two instances of two Envoys each, and nodes in three VPCs.
func startClouds(t *testing.T) *clouds {
	t.Helper()
	c := &clouds{cluster: newCluster(t, "control", "prod", "legacy", "island"), proxies: make(map[string]int)}
	c.run(t, backendPart("stock", "prod"), backendPart("orders-a", "legacy"), backendPart("orders-b", "legacy"), backendPart("castaway", "island"))
	c.dir = newDirectory(t, files{
		"vpcs.hcl":     fill(vpcsText, "prod", c.subnet(t, "prod"), "legacy", c.subnet(t, "legacy"), "island", c.subnet(t, "island")),
		"stock.hcl":    vpcUpstream("stock", "prod", c.address(t, "stock", "prod")),
		"services.hcl": mounted("shop", "edge", "stock") + mounted("desk", "back"),
	})
	control := weirPart("weir", c.dir, "/conf")
	control.networks = []string{"control"}
	c.run(t, control)
	c.weir = &gateway{path: c.dir, admin: loopback(published(t, c.container("weir"), adminPort))}
	c.weir.awaitListening(t)
	instances := map[string]string{"edge-1": "edge", "edge-2": "edge", "back-1": "back", "back-2": "back"}
	home := map[string]string{"edge": "prod", "back": "legacy"}
	var parts []part
	for name, instance := range instances {
		parts = append(parts, envoyPart(t, instance, name, "weir", "control", home[instance]))
	}
	// This one asks no weir: it shows what the networks let through. "control" is only where it is called from.
	parts = append(parts, bareEnvoyPart(t, "bypass", bypassBootstrap(c.address(t, "orders-a", "legacy"), c.address(t, "castaway", "island")), "control", "prod"))
	c.run(t, parts...)
	for _, p := range parts {
		c.proxies[p.name] = c.proxied(t, p.name)
	}
	return c
}

// subnet is the network of a VPC as its cidr_blocks say it.
func (c *clouds) subnet(t *testing.T, vpc string) string {
	t.Helper()
	return docker(t, "network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", c.networks[vpc])
}

// join connects a VPC with containers of another one, as a CCN does.
func (c *clouds) join(t *testing.T, vpc string, names ...string) {
	t.Helper()
	for _, name := range names {
		docker(t, "network", "connect", c.networks[vpc], c.container(name).GetContainerID())
	}
}

// through is a request through an Envoy.
func (c *clouds) through(proxy, path string) request {
	return request{port: c.proxies[proxy], path: path}
}

// answered waits until an Envoy has a path answered by each of the nodes, and by no other.
func (c *clouds) answered(t *testing.T, proxy, path string, nodes ...string) {
	t.Helper()
	eventually(t, startBound, proxy+path+" is answered by "+strings.Join(nodes, " and "), func() error {
		got := make(map[string]int)
		for range 8 * len(nodes) {
			a, err := c.through(proxy, path).try()
			if err != nil {
				return err
			}
			name, _, _ := strings.Cut(a.body, ":")
			if got[name]++; a.status != http.StatusOK {
				return fmt.Errorf("answered %v", a)
			}
		}
		for _, name := range nodes {
			if got[name] == 0 {
				return fmt.Errorf("%s has answered none: %v", name, got)
			}
		}
		return hold(len(got) == len(nodes), "answers of %v", got)
	})
}

// unreachable holds that an Envoy answers 503, since nothing gets to the node.
func (c *clouds) unreachable(t *testing.T, proxy, path string) {
	t.Helper()
	eventually(t, startBound, "nothing flows from "+proxy+" to "+path, func() error {
		return c.through(proxy, path).wants(http.StatusServiceUnavailable, "")
	})
}

// save replaces a file as an editor does; the other ways are in the tests.
func (c *clouds) save(t *testing.T, name, text string) {
	t.Helper()
	renameFile(t, filepath.Join(c.dir, name), text)
}

// refuses waits until weir has refused what the files say, with every one of the words in status and log.
func (c *clouds) refuses(t *testing.T, words ...string) {
	t.Helper()
	eventually(t, editBound, "weir refuses", func() error {
		s, err := c.weir.status()
		if err != nil {
			return err
		}
		if s.LastAttempt.Outcome != "invalid" {
			return fmt.Errorf("the last attempt is %+v", s.LastAttempt)
		}
		return containsAll(s.LastAttempt.Report, words...)
	})
	c.awaitLog(t, "weir", words...)
}

// accepts waits until what the files say serves.
func (c *clouds) accepts(t *testing.T) {
	t.Helper()
	eventually(t, editBound, "weir accepts", func() error {
		s, err := c.weir.status()
		if err != nil {
			return err
		}
		return hold(s.LastAttempt.Outcome == "applied" || s.LastAttempt.Outcome == "unchanged", "the last attempt is %+v", s.LastAttempt)
	})
}

// vpcUpstream is an upstream of nodes at addresses.
func vpcUpstream(name, vpc string, addresses ...string) string {
	text := fmt.Sprintf("upstream %q {\n  vpc      = vpc.%s\n  protocol = \"http\"\n  retries  = 1\n  connect_timeout = \"500ms\"\n", name, vpc)
	for _, address := range addresses {
		text += fmt.Sprintf("  node \"%s:%d\" {}\n", address, backendPort)
	}
	return text + "}\n"
}

// mounted is a service with an API for each of the upstreams, at a path of the upstream's name.
func mounted(service, instance string, upstreams ...string) string {
	text := fmt.Sprintf("service %q {\n  instance = instance.%s\n", service, instance)
	for _, upstream := range upstreams {
		text += fmt.Sprintf("  api %q {\n    path_prefix = \"/%s\"\n    backend { upstream = upstream.%s }\n  }\n", upstream, upstream, upstream)
	}
	return text + "}\n"
}

// ccn joins two VPCs.
func ccn(name, one, other string) string {
	return fmt.Sprintf("ccn %q { vpcs = [vpc.%s, vpc.%s] }\n", name, one, other)
}

// bypassBootstrap is an Envoy that sends /orders and /island to these addresses, whatever weir thinks of it.
func bypassBootstrap(orders, island string) string {
	type object = map[string]any
	socket := func(address string, port int) object {
		return object{"socket_address": object{"address": address, "port_value": port}}
	}
	var clusters, routes []object
	for name, address := range map[string]string{"orders": orders, "island": island} {
		endpoint := object{"endpoint": object{"address": socket(address, backendPort)}}
		clusters = append(clusters, object{"name": name, "connect_timeout": "0.5s", "load_assignment": object{
			"cluster_name": name, "endpoints": []object{{"lb_endpoints": []object{endpoint}}}}})
		routes = append(routes, object{"match": object{"prefix": "/" + name}, "route": object{"cluster": name}})
	}
	manager := object{
		"@type":       "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
		"stat_prefix": "bypass",
		"http_filters": []object{{"name": "router", "typed_config": object{
			"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}},
		"route_config": object{"virtual_hosts": []object{{"name": "all", "domains": []string{"*"}, "routes": routes}}},
	}
	text, err := json.Marshal(object{
		"admin": object{"address": socket("0.0.0.0", envoyAdminPort)},
		"static_resources": object{
			"clusters": clusters,
			"listeners": []object{{"name": "http", "address": socket("0.0.0.0", gatewayPort),
				"filter_chains": []object{{"filters": []object{{"name": "http", "typed_config": manager}}}}}},
		},
	})
	if err != nil {
		panic(err) // maps and texts can be written as JSON
	}
	return string(text)
}
