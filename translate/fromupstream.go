package translate

import (
	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matchingv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	matcheractionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/matcher/action/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirproxy/weir/model"
)

// setFromUpstreams puts on a route what belongs to its upstream, and what Envoy takes from routes only. With the Host
// header this is all of an upstream that its routes depend on. The upstreams of a split are alike in what can stand on
// the route only.
func setFromUpstreams(r *routev3.Route, action *routev3.RouteAction, b model.Backend, u use) {
	if up := u.byName[b.Upstream]; up != nil {
		r.TypedPerFilterConfig = filtersOf(up)
		setOnAction(action, up)
	}
	for i, t := range b.Split {
		up := u.byName[t.Upstream]
		action.GetWeightedClusters().Clusters[i].TypedPerFilterConfig = filtersOf(up)
		setOnAction(action, up)
	}
}

// setOnAction puts an upstream's part into the action, of which there is one for all that share a route.
func setOnAction(action *routev3.RouteAction, u *model.Upstream) {
	if longest := u.Retry.PerTryTimeout; longest > 0 {
		// The cluster's policy takes the place of this one, except for the timeout, which is always the route's.
		action.RetryPolicy = &routev3.RetryPolicy{PerTryTimeout: durationpb.New(longest)}
	}
}

// filtersOf takes an upstream that has said all conditions for retries out of the filter that adds some. It does not say
// "disabled", which Envoy would look for in the route that it finds first (scope.go).
func filtersOf(u *model.Upstream) map[string]*anypb.Any {
	if !u.Retry.Said() {
		return nil
	}
	return map[string]*anypb.Any{idempotentFilter: skipFilter}
}

// skipFilter makes a filter that has a matcher do nothing.
var skipFilter = pack(&matchingv3.ExtensionWithMatcherPerRoute{
	XdsMatcher: &xdsmatcherv3.Matcher{OnNoMatch: action("skip", &matcheractionv3.SkipFilter{})},
})
