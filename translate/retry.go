package translate

import (
	"slices"
	"strings"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matchingv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	matcheractionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/matcher/action/v3"
	headermutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	previoushostsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/weirproxy/weir/model"
)

const (
	// retryAlways are the failures after which no node can have seen the whole request: any method may be sent again.
	retryAlways = "connect-failure,refused-stream,reset-before-request"
	// retryIdempotent are further failures, after which only a request that may arrive twice is sent again.
	retryIdempotent = "reset,gateway-error"
	// hostSelections is how often a retry asks the load balancer for a node that was not tried yet. A node that has a
	// thousand times the weight of another is drawn about a thousand times before it; a draw takes well under a microsecond.
	// It is the same for every upstream, so that a new node changes the load assignment and not the cluster.
	hostSelections = 2000
	// idempotentFilter is the name of the filter that adds them.
	idempotentFilter = "weir.idempotent_retries"
	// idempotentMethods may be repeated by their definition (RFC 9110, 9.2.2).
	idempotentMethods = "GET|HEAD|OPTIONS|TRACE|PUT|DELETE"
)

// retryPolicy is that of a cluster, where it replaces any policy of a route: each upstream keeps its own, whatever routes
// lead to it, and an edit of it touches one Cluster.
func retryPolicy(u *model.Upstream) *routev3.RetryPolicy {
	policy := &routev3.RetryPolicy{
		RetryOn:    retryAlways,
		NumRetries: wrapperspb.UInt32(uint32(u.Retries)),
		RetryHostPredicate: []*routev3.RetryPolicy_RetryHostPredicate{{
			Name:       "envoy.retry_host_predicates.previous_hosts",
			ConfigType: &routev3.RetryPolicy_RetryHostPredicate_TypedConfig{TypedConfig: pack(&previoushostsv3.PreviousHostsPredicate{})},
		}},
		HostSelectionRetryMaxAttempts: hostSelections,
		RetryBackOff: &routev3.RetryPolicy_RetryBackOff{
			BaseInterval: durationpb.New(u.Retry.BackOff.Base),
			MaxInterval:  durationpb.New(u.Retry.BackOff.Max),
		},
	}
	if u.Retry.Said() {
		policy.RetryOn, policy.RetriableStatusCodes = retryOn(u.Retry)
	}
	return policy
}

// retryOn are the conditions that the operator says, and the status codes among them.
func retryOn(r model.Retry) (string, []uint32) {
	conditions := slices.Clone(r.On)
	var codes []uint32
	for _, code := range r.StatusCodes {
		codes = append(codes, uint32(code))
	}
	if len(codes) > 0 {
		conditions = append(conditions, "retriable-status-codes")
	}
	return strings.Join(conditions, ","), codes
}

// idempotentRetries is the filter that widens the retry conditions of requests that may arrive twice. No policy can say
// "for these methods" itself (retriable_request_headers is not consulted for a policy on a cluster), but the router adds
// the conditions of the request header x-envoy-retry-on, and removes it before the request leaves. A caller's own header
// of that name is gone before this filter runs.
func idempotentRetries() *matchingv3.ExtensionWithMatcher {
	return &matchingv3.ExtensionWithMatcher{
		XdsMatcher: matcherList([]*xdsmatcherv3.Matcher_MatcherList_FieldMatcher{{
			Predicate: not(single(methodInput, regexMatch(idempotentMethods))),
			OnMatch:   action("weir.not_idempotent", &matcheractionv3.SkipFilter{}),
		}}),
		ExtensionConfig: &corev3.TypedExtensionConfig{Name: "envoy.filters.http.header_mutation", TypedConfig: pack(setRetryOn())},
	}
}

// setRetryOn is the filter that sets the header.
func setRetryOn() *headermutationv3.HeaderMutation {
	return &headermutationv3.HeaderMutation{Mutations: &headermutationv3.Mutations{
		RequestMutations: []*mutationrulesv3.HeaderMutation{{
			Action: &mutationrulesv3.HeaderMutation_Append{Append: &corev3.HeaderValueOption{
				Header:       &corev3.HeaderValue{Key: "x-envoy-retry-on", Value: retryIdempotent},
				AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			}},
		}},
	}}
}
