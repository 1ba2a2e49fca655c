package translate

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// usualLimits are those of a listener that says none.
var usualLimits = model.ListenerLimits{MaxRequestHeadersKB: 60, IdleTimeout: time.Hour}

// edge is an empty configuration with one instance "edge" and its plain listener "http".
func edge() *model.Configuration {
	return &model.Configuration{
		Instances: map[string]*model.Instance{"edge": {
			Name: "edge", Type: model.Dedicated, VPC: "main",
			Listeners: map[string]*model.Listener{"http": {Name: "http", Address: netip.IPv4Unspecified(), Port: 8080, Limits: usualLimits}},
		}},
		Upstreams: map[string]*model.Upstream{},
		Services:  map[string]*model.Service{},
	}
}

// addService mounts APIs under a domain on the listener "http".
func addService(c *model.Configuration, name, domain string, apis ...*model.API) {
	s := &model.Service{Name: name, Instance: "edge", Listeners: []string{"http"}, APIs: map[string]*model.API{}}
	if domain != "" {
		s.Domains = []string{domain}
	}
	for _, api := range apis {
		s.APIs[api.Name] = api
	}
	c.Services[name] = s
}

// addUpstream adds an upstream of nodes "host:port".
func addUpstream(c *model.Configuration, name string, protocol model.Protocol, nodes ...string) *model.Upstream {
	u := &model.Upstream{Name: name, Protocol: protocol, LoadBalancing: model.WeightedRoundRobin,
		Retries: 5, Retry: model.DefaultRetry(), Connections: model.DefaultConnections()}
	for _, address := range nodes {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			panic(err)
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			panic(err)
		}
		u.Nodes = append(u.Nodes, model.Node{Host: host, Port: uint16(number), Weight: 1})
	}
	c.Upstreams[name] = u
	return u
}

// parsePath reads a path as an operator writes it: "/orders/{id}", "/orders/*" for a prefix, "*" for every path.
func parsePath(text string) model.Path {
	prefix, isPrefix := strings.CutSuffix(text, "/*")
	switch {
	case text == "*":
		return model.Path{Kind: model.AnyPath}
	case isPrefix && prefix == "":
		return model.Path{Kind: model.PrefixPath, Text: "/"}
	case isPrefix:
		return model.Path{Kind: model.PrefixPath, Text: prefix}
	case strings.Contains(text, "{"):
		return model.Path{Kind: model.TemplatePath, Text: text}
	}
	return model.Path{Kind: model.ExactPath, Text: text}
}

// mockAPI answers with its route's name. Its line is "METHOD,METHOD PATH" or "PATH".
func mockAPI(service, name, line string) *model.API {
	api := &model.API{Name: name, Backend: model.Backend{Mock: &model.Mock{Status: 200, Body: service + "/" + name}}}
	methods, path, found := strings.Cut(line, " ")
	if found {
		api.Methods = strings.Split(methods, ",")
	} else {
		path = line
	}
	api.Path = parsePath(path)
	return api
}

// forwardAPI sends a path to an upstream; an empty replacement leaves the path alone.
func forwardAPI(name, line, upstream, replacement string) *model.API {
	api := mockAPI("", name, line)
	api.Backend = model.Backend{Upstream: upstream, Path: replacement, Timeout: 15 * time.Second}
	return api
}

// addMocks mounts one mock per line under a domain, named after its place in the list.
func addMocks(t *testing.T, c *model.Configuration, service, domain string, lines []string) {
	t.Helper()
	var apis []*model.API
	for i, line := range lines {
		apis = append(apis, mockAPI(service, fmt.Sprintf("a%d", i), line))
	}
	addService(c, service, domain, apis...)
}
