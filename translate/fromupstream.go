package translate

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirproxy/weir/model"
)

// setFromUpstreams puts on a route what belongs to its upstream, and what Envoy takes from routes only. With the Host
// header this is all of an upstream that its routes depend on. The upstreams of a split are alike in what can stand on
// the route only.
func setFromUpstreams(r *routev3.Route, action *routev3.RouteAction, b model.Backend, u use) {
	main := u.byName[b.Upstream]
	for i, t := range b.Split {
		main = u.byName[t.Upstream]
		action.GetWeightedClusters().Clusters[i].TypedPerFilterConfig = filtersOf(main)
	}
	if main == nil {
		return
	}
	if len(b.Split) == 0 {
		r.TypedPerFilterConfig = filtersOf(main)
	}
	if longest := main.Retry.PerTryTimeout; longest > 0 {
		// The cluster's policy takes the place of this one, except for the timeout, which is always the route's.
		action.RetryPolicy = &routev3.RetryPolicy{PerTryTimeout: durationpb.New(longest)}
	}
}

// filtersOf takes an upstream that has said all conditions for retries out of the filter that adds some.
func filtersOf(u *model.Upstream) map[string]*anypb.Any {
	if !u.Retry.Said() {
		return nil
	}
	return map[string]*anypb.Any{idempotentFilter: pack(&routev3.FilterConfig{Disabled: true})}
}
