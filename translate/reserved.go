package translate

import (
	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	earlymutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// forgetReserved takes headers out of requests that are no affair of callers: those with which Envoys talk among
// themselves, of which Envoy by itself removes only what it would obey, and those of the gateway's own filters. It runs before
// Envoy writes X-Envoy-External-Address, so nodes see that one, and never a caller's.
func forgetReserved() *corev3.TypedExtensionConfig {
	remove := func(prefix string) *mutationrulesv3.HeaderMutation {
		return &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_RemoveOnMatch_{
			RemoveOnMatch: &mutationrulesv3.HeaderMutation_RemoveOnMatch{
				KeyMatcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: prefix}},
			},
		}}
	}
	return &corev3.TypedExtensionConfig{
		Name: "weir.reserved",
		TypedConfig: pack(&earlymutationv3.HeaderMutation{Mutations: []*mutationrulesv3.HeaderMutation{
			remove("x-envoy-"), remove("x-weir-"),
		}}),
	}
}
