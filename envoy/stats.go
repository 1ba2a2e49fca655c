package envoy

import (
	"strings"

	metricsv3 "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// unneeded are the statistics of an upstream's cluster that nobody runs a gateway by. Of 118 statistics that a cluster
// has once it got a request, these leave 30: what was asked of the nodes, how it ended, how long it took, what was
// retried, which limits were hit, and how many nodes are well. Statistics of anything else are kept, whatever they are
// called, so that a new filter's are not lost without a word.
var unneeded = []string{
	`assignment_.*`, // and how its endpoints came: weir's own metrics tell that
	`bind_errors`,
	`circuit_breakers\.high\..*`, // no request has that priority
	`default\.total_match_count`,
	`http[123]\..*`,
	`(internal|external|canary)\.upstream_rq_.*`, // the same again by where a caller comes from
	`lb_(local|recalculate|subsets|zone)_.*`,
	`max_host_weight`,
	`membership_(change|degraded|excluded)`,
	`original_dst_host_invalid`,
	`retry_or_shadow_abandoned`,
	`update_.*`,
	`version`,
	`warming_state`,
	`upstream_cx_(close_notify|connect_attempts_exceeded|connect_ms|connect_with_0_rtt|destroy|destroy_local|destroy_local_with_active_rq|` +
		`destroy_remote|destroy_with_active_rq|http.*|idle_timeout|length_ms|max_.*|pool_overflow|preconnect_skipped|protocol_error|[rt]x_bytes_.*)`,
	`upstream_(flow_control|http3|internal_redirect|queue)_.*`,
	`upstream_rq_([0-9]{3}|0rtt|cancelled|completed|drop.*|maintenance_mode|max_duration_reached|pending_failure_eject|pending_total|` +
		`per_cx|per_try_idle_timeout|retry_backoff_.*|rx_reset_no_error)`,
}

// fewerStats keeps their number in bounds where there are thousands of upstreams.
func fewerStats() *metricsv3.StatsConfig {
	// The names that weir gives to clusters, as statistics spell them: an underscore for the colon.
	regex := `cluster\.(upstream/[^.]*|(url|otlp)/.*_[0-9]+)\.(` + strings.Join(unneeded, "|") + `)`
	return &metricsv3.StatsConfig{StatsMatcher: &metricsv3.StatsMatcher{
		StatsMatcher: &metricsv3.StatsMatcher_ExclusionList{ExclusionList: &matcherv3.ListStringMatcher{
			Patterns: []*matcherv3.StringMatcher{{MatchPattern: &matcherv3.StringMatcher_SafeRegex{
				SafeRegex: &matcherv3.RegexMatcher{Regex: regex},
			}}},
		}},
	}}
}
