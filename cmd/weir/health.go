package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/envoy"
	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/translate"
	"github.com/weirproxy/weir/xds"
)

// A question about the nodes of an upstream goes to each Envoy that uses it, to some at a time, and is over soon,
// whatever becomes of the Envoys.
const (
	healthWithin  = 2 * time.Second
	healthAtATime = 32
)

// health asks the Envoys of the instances that use an upstream how its nodes are. Where nothing checks the nodes, no Envoy
// knows.
func (l *loop) health(ctx context.Context, name string) []admin.Witness {
	configuration := l.published.Load().configuration
	if configuration == nil || configuration.Upstreams[name] == nil {
		return nil
	}
	u := configuration.Upstreams[name]
	if u.HealthCheck == nil && u.Outliers == nil {
		return nil
	}
	using := instancesOf(configuration, name)
	var asked []xds.Proxy
	for _, p := range l.server.Proxies() {
		if using[p.Instance] && !p.Unknown {
			asked = append(asked, p)
		}
	}
	return l.askAll(ctx, asked, u)
}

// askAll puts the question to some Envoys. Each has a witness, also where it does not answer.
func (l *loop) askAll(ctx context.Context, asked []xds.Proxy, u *model.Upstream) []admin.Witness {
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	out := make([]admin.Witness, len(asked))
	var group errgroup.Group
	group.SetLimit(healthAtATime)
	for i, p := range asked {
		out[i] = admin.Witness{Node: p.Node, Instance: p.Instance}
		group.Go(func() error {
			says, err := l.askHealth(ctx, p, u)
			if err != nil {
				out[i].Error = err.Error()
			}
			out[i].Says = says
			return nil
		})
	}
	_ = group.Wait() // what went wrong stands in out
	return out
}

// instancesOf are the instances whose APIs use an upstream.
func instancesOf(c *model.Configuration, upstream string) map[string]bool {
	out := map[string]bool{}
	for _, a := range admin.NewUpstream(c, upstream).AssociatedAPIs {
		out[a.Instance] = true
	}
	return out
}

// askHealth is what one Envoy says of the nodes of an upstream, by their addresses.
func (l *loop) askHealth(ctx context.Context, p xds.Proxy, u *model.Upstream) (map[string]admin.NodeState, error) {
	address := ""
	if l.fleet != nil {
		address = l.fleet.adminOf(p)
	}
	if address == "" {
		var err error
		if address, err = adminAddress(p); err != nil {
			return nil, err
		}
	}
	endpoints, err := envoy.ClusterHealth(ctx, address, translate.UpstreamCluster(u.Name))
	if ctx.Err() != nil {
		return nil, fmt.Errorf("its admin API at %s does not answer", address)
	}
	if err != nil {
		return nil, err
	}
	return nodeStates(u, endpoints), nil
}

// adminAddress is where the admin API of an Envoy can be asked. Which machine that is, is not the Envoy's to say: weir
// asks nobody but who connected to it.
func adminAddress(p xds.Proxy) (string, error) {
	if p.Admin == "" {
		return "", errors.New("its bootstrap does not say where its admin API is: weir bootstrap --envoy-admin-address")
	}
	said, err := netip.ParseAddrPort(p.Admin)
	if err != nil {
		return "", errors.New("its metadata does not say where its admin API is, but something else")
	}
	peer := netip.AddrFrom4([4]byte{127, 0, 0, 1}) // at the other end of a Unix socket
	if from, err := netip.ParseAddrPort(p.Address); err == nil {
		peer = from.Addr().Unmap()
	}
	host := said.Addr().Unmap()
	switch {
	case host.IsUnspecified():
		host = peer
	case host == peer, host.IsLoopback() && peer.IsLoopback():
	case host.IsLoopback():
		return "", fmt.Errorf("its admin API is at %s of another machine: let it listen where weir reaches it", p.Admin)
	default:
		return "", fmt.Errorf("its admin API is said to be at %s, but it connects from %s", p.Admin, peer)
	}
	return netip.AddrPortFrom(host, said.Port()).String(), nil
}

// nodeStates joins the endpoints of a cluster with the nodes that they come from. A name with several addresses is as
// well as the best of them.
func nodeStates(u *model.Upstream, endpoints []envoy.Endpoint) map[string]admin.NodeState {
	out := make(map[string]admin.NodeState, len(u.Nodes))
	for _, n := range u.Nodes {
		address := net.JoinHostPort(n.Host, strconv.Itoa(int(n.Port)))
		var seen []envoy.Health
		for _, e := range endpoints {
			if e.Address == address || e.Hostname == n.Host && e.Port == int(n.Port) {
				seen = append(seen, e.Health)
			}
		}
		switch {
		case slices.Contains(seen, envoy.Healthy):
			out[address] = admin.Healthy
		case slices.Contains(seen, envoy.Unhealthy):
			out[address] = admin.Unhealthy
		default:
			out[address] = admin.Unknown
		}
	}
	return out
}
