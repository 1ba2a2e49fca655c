package translate

import (
	"net"
	"strconv"
	"strings"

	"github.com/weirproxy/weir/model"
)

// use is what the builders of routes know of the upstreams that they forward to: everything but their nodes, so that an edit
// of nodes leaves the routes alone.
type use struct {
	byName map[string]*model.Upstream
}

// target is one cluster to be. The server of a url backend is an upstream of one node that nobody named.
type target struct {
	cluster  string
	upstream *model.Upstream
}

// clusterOf is the name of the cluster that a backend forwards to.
func clusterOf(b model.Backend) string {
	if b.URL != nil {
		return urlCluster(b.URL)
	}
	return UpstreamCluster(b.Upstream)
}

// UpstreamCluster names the cluster of an upstream.
func UpstreamCluster(name string) string { return "upstream/" + name }

// urlCluster names a public server by its host and port: "https://a" and "https://a:443" are one server. A configuration
// does not reach one port both with and without TLS.
func urlCluster(url *model.URL) string { return "url/" + hostPort(url.Host, url.Port) }

// hostHeader is the Host that the backend's nodes see, or "" for the caller's.
func (u use) hostHeader(b model.Backend) string {
	switch {
	case b.URL == nil:
		return u.byName[b.Upstream].HostHeader
	case b.URL.Explicit:
		return hostPort(b.URL.Host, b.URL.Port)
	case strings.Contains(b.URL.Host, ":"):
		return "[" + b.URL.Host + "]"
	}
	return b.URL.Host
}

// urlUpstream is the upstream that a public server amounts to: one that says no more than it must.
func urlUpstream(url *model.URL, place model.Place) *model.Upstream {
	return &model.Upstream{
		LoadBalancing: model.WeightedRoundRobin,
		Protocol:      url.Protocol,
		HostHeader:    hostPort(url.Host, url.Port),
		Retries:       model.DefaultRetries,
		Retry:         model.DefaultRetry(),
		Connections:   model.DefaultConnections(),
		Nodes:         []model.Node{{Host: url.Host, Port: url.Port, Weight: 1, Place: place}},
		Place:         place,
	}
}

// hostPort is "host:port", with brackets around an IPv6 address.
func hostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
