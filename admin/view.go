package admin

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/weirproxy/weir/model"
)

// NewStatus joins the three sources of /api/v1/status. envoys is nil where weir starts none.
func NewStatus(s *State, proxies []Proxy, envoys []Envoy) Status {
	status := Status{
		Version: s.Version, StartedAt: s.StartedAt, Configuration: s.Path,
		XDSAddress: s.XDSAddress, AdminAddress: s.AdminAddress,
		Generation: s.Generation, LastAttempt: s.LastAttempt,
		Instances: []Instance{}, Strays: append([]Proxy{}, proxies...), Envoys: envoys,
	}
	status.Restored = s.Restored
	if s.Configuration != nil || s.Restored != nil {
		status.Ready = true
		status.LoadedAt = &s.LoadedAt
		status.Instances, status.Strays = instances(s, proxies)
	}
	if s.Configuration != nil {
		status.Counts = counts(s.Configuration)
	}
	return status
}

func counts(c *model.Configuration) Counts {
	n := Counts{
		VPCs: len(c.VPCs), CCNs: len(c.CCNs), Instances: len(c.Instances),
		Upstreams: len(c.Upstreams), Services: len(c.Services),
	}
	for _, i := range c.Instances {
		n.Listeners += len(i.Listeners)
	}
	for _, u := range c.Upstreams {
		n.Nodes += len(u.Nodes)
	}
	for _, s := range c.Services {
		n.APIs += len(s.APIs)
	}
	return n
}

// instances are the gateways by name, each with its proxies, and the proxies that belong to none.
func instances(s *State, proxies []Proxy) (all []Instance, strays []Proxy) {
	c := s.Configuration
	if c == nil { // of what was restored, only the names are known
		c = &model.Configuration{Instances: map[string]*model.Instance{}}
		for _, name := range s.Restored.Instances {
			c.Instances[name] = &model.Instance{Name: name}
		}
	}
	all, strays = []Instance{}, []Proxy{}
	byInstance, standbys := map[string][]Proxy{}, map[string][]Proxy{}
	for _, p := range proxies {
		if _, ok := c.Instances[p.Instance]; !ok {
			strays = append(strays, p)
			continue
		}
		if p.Standby {
			standbys[p.Instance] = append(standbys[p.Instance], p)
			continue
		}
		byInstance[p.Instance] = append(byInstance[p.Instance], p)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Instances)) {
		i := c.Instances[name]
		all = append(all, Instance{
			Name: name, Description: s.masked(i.Description), Type: string(i.Type), VPC: i.VPC,
			Listeners: listeners(i), Proxies: append([]Proxy{}, byInstance[name]...), Standbys: append([]Proxy{}, standbys[name]...),
			Withdrawn: s.Withdrawn[name], Place: NewPlace(i.Place),
		})
	}
	return all, strays
}

func listeners(i *model.Instance) []Listener {
	all := make([]Listener, 0, len(i.Listeners))
	for _, name := range slices.Sorted(maps.Keys(i.Listeners)) {
		l := i.Listeners[name]
		all = append(all, Listener{
			Name: name, Address: l.Address.String(), Port: int(l.Port), TLS: len(l.Certificates) > 0, HTTP3: l.HTTP3 != nil, Place: NewPlace(l.Place),
		})
	}
	return all
}

func pathText(p model.Path) string {
	switch p.Kind {
	case model.AnyPath:
		return "/*"
	case model.PrefixPath:
		return strings.TrimSuffix(p.Text, "/") + "/*"
	default:
		return p.Text
	}
}

// NewPlace is nil for no place.
func NewPlace(p model.Place) *Place {
	if p.IsZero() {
		return nil
	}
	return &Place{File: p.File(), Line: p.Line(), Column: p.Column()}
}

// quote keeps what a caller sent from ending a line or a terminal's mood.
func quote(s string) string { return strconv.QuoteToASCII(s) }
