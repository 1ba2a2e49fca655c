package main

import (
	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/xds"
)

// proxies are the clients of xDS as the admin API shows them, standbys last.
func (l *loop) proxies() []admin.Proxy {
	published := l.published.Load()
	envoys, standbys := l.server.Proxies(), l.server.Standbys()
	views := make([]admin.Proxy, 0, len(envoys)+len(standbys))
	for i, p := range append(envoys, standbys...) {
		set := published.sets[p.Instance]
		view := admin.Proxy{
			Node: p.Node, Instance: p.Instance, Address: p.Address, UserAgent: p.UserAgent, ConnectedAt: p.ConnectedAt.UTC(),
			Current: set != nil && !p.Unknown && p.Snapshot == set.Hash(), Standby: i >= len(envoys), Types: []admin.ProxyType{},
		}
		for _, t := range p.Types {
			view.Types = append(view.Types, admin.ProxyType{
				Type: shortType(t.Type), Sent: t.Sent, Acknowledged: t.Acknowledged, Refused: refusalOf(p.Instance, t, published),
			})
		}
		views = append(views, view)
	}
	return views
}

func refusalOf(instance string, t xds.TypeState, published *publication) *admin.Refusal {
	if t.Refused == nil {
		return nil
	}
	r := t.Refused
	names := make([]string, len(r.Resources))
	for i, one := range r.Resources {
		names[i] = one.Name()
	}
	place := published.blame(instance, t.Type, r.Resources, r.Message)
	return &admin.Refusal{
		Version: r.Version, Message: published.hide(r.Message), Resources: names, At: r.At.UTC(), Place: admin.NewPlace(place),
	}
}

// connected counts the proxies of each instance; an instance without any is there with 0, so that it can be alerted on.
func (l *loop) connected() map[string]admin.ProxyCounts {
	counts := map[string]admin.ProxyCounts{}
	for instance, v := range answersTo(l.published.Load(), l.server.Proxies(), nil) {
		refusing := len(v.refused)
		counts[instance] = admin.ProxyCounts{Connected: v.took + v.silent + refusing, Current: v.took, Refusing: refusing}
	}
	for _, p := range l.server.Standbys() {
		if n, ok := counts[p.Instance]; ok {
			n.Standbys++
			counts[p.Instance] = n
		}
	}
	return counts
}
