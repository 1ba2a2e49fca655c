package config

import (
	"maps"
	"slices"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// nouns are what the blocks were decoded into, by name.
type nouns struct {
	vpcs      map[string]*vpc
	ccns      map[string]*ccn
	instances map[string]*instance
	upstreams map[string]*upstream
	services  map[string]*service
}

func newNouns() *nouns {
	return &nouns{map[string]*vpc{}, map[string]*ccn{}, map[string]*instance{}, map[string]*upstream{}, map[string]*service{}}
}

// noun is one of them.
type noun interface {
	// face is what other blocks may look at while they are decoded: they are decoded again when it is another. It holds
	// no positions. What rules look at once everything is decoded needs not be in it.
	face() any
}

func (v *vpc) face() any {
	cidrs := make([]string, len(v.cidrs))
	for i, c := range v.cidrs {
		cidrs[i] = c.V.String()
	}
	return struct {
		whole bool
		cidrs []string
	}{v.whole, cidrs}
}

func (in *instance) face() any { return in.listenerNames() }

func (*ccn) face() any      { return nil }
func (*upstream) face() any { return nil }
func (*service) face() any  { return nil }

// vpc is the VPC of a name as the block that is decoded sees it, or nil.
func (l *loader) vpc(name string) *vpc {
	l.look(kindVPC, name)
	return l.known.vpcs[name]
}

// vpcs are all VPCs as the block that is decoded sees them, by name.
func (l *loader) vpcs() []*vpc {
	l.look(kindVPC, "")
	out := make([]*vpc, 0, len(l.known.vpcs))
	for _, name := range slices.Sorted(maps.Keys(l.known.vpcs)) {
		out = append(out, l.known.vpcs[name])
	}
	return out
}

// instance is the instance of a name as the block that is decoded sees it, or nil.
func (l *loader) instance(name string) *instance {
	l.look(kindInstance, name)
	return l.known.instances[name]
}

// look notes that the block that is decoded depends on another one's face, or without a name on those of a whole kind.
func (l *loader) look(kind, name string) {
	if ref := (lang.Ref{Kind: kind, Name: name}); l.noting && !slices.Contains(l.looked, ref) {
		l.looked = append(l.looked, ref)
	}
}

// configuration is the model of all nouns.
func (n *nouns) configuration() *model.Configuration {
	return &model.Configuration{
		VPCs:      plain(n.vpcs, func(n *vpc) *model.VPC { return n.model }),
		CCNs:      plain(n.ccns, func(n *ccn) *model.CCN { return n.model }),
		Instances: plain(n.instances, func(n *instance) *model.Instance { return n.model }),
		Upstreams: plain(n.upstreams, func(n *upstream) *model.Upstream { return n.model }),
		Services:  plain(n.services, func(n *service) *model.Service { return n.model }),
	}
}

func plain[N, M any](nouns map[string]N, of func(N) M) map[string]M {
	out := make(map[string]M, len(nouns))
	for name, noun := range nouns {
		out[name] = of(noun)
	}
	return out
}
