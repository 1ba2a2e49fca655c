package config

import (
	"math"
	"time"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// The longest that the system takes.
const (
	maxKeepalive       = 32767 * time.Second
	maxKeepaliveProbes = 127
)

// decodeConnections reads the limits of connections and requests.
func (l *loader) decodeConnections(body *lang.Body) model.Connections {
	out := model.DefaultConnections()
	out.ConnectTimeout = l.span(body.Duration("connect_timeout"), "connect_timeout", out.ConnectTimeout, false)
	out.IdleTimeout = l.span(body.Duration("idle_timeout"), "idle_timeout", out.IdleTimeout, true)
	out.MaxDuration = l.span(body.Duration("max_connection_duration"), "max_connection_duration", 0, true)
	out.MaxRequests = l.number(body.Int("max_requests_per_connection"), "max_requests_per_connection", 0, 1, math.MaxInt32)
	for _, inner := range body.Blocks("tcp_keepalive") {
		out.Keepalive = &model.TCPKeepalive{
			Time:     l.seconds(inner.Duration("time"), "time", maxKeepalive),
			Interval: l.seconds(inner.Duration("interval"), "interval", maxKeepalive),
			Probes:   l.number(inner.Int("probes"), "probes", 0, 1, maxKeepaliveProbes),
		}
	}
	for _, inner := range body.Blocks("circuit_breaker") {
		out.Limits = l.decodeCircuitBreaker(inner)
	}
	return out
}

// defaultPingTimeout is what gRPC's own clients wait for the answer to a ping.
const defaultPingTimeout = 20 * time.Second

// decodePings reads the keep-alive of HTTP/2, which HTTP/1.1 has none of.
func (l *loader) decodePings(body *lang.Body, out *upstream) {
	for _, inner := range body.Blocks("http2_keepalive") {
		out.model.Connections.Pings = &model.HTTP2Keepalive{
			Interval: l.span(inner.Duration("interval"), "interval", 0, false),
			Timeout:  l.span(inner.Duration("timeout"), "timeout", defaultPingTimeout, false),
		}
		if out.protocol.Valid() && !out.protocol.V.HTTP2() {
			l.report(ruleValue, inner.DefRange, "Pings of HTTP/2 over HTTP/1.1",
				"The protocol of upstream %q is %q, which is HTTP/1.1 and has no pings. Write tcp_keepalive { time = \"...\" } instead, or protocol = \"grpc\" or \"grpcs\" where the nodes speak HTTP/2.", out.model.Name, out.protocol.V)
		}
	}
}

func (l *loader) decodeCircuitBreaker(body *lang.Body) model.CircuitBreaker {
	limit := func(name string) int {
		v := body.Int(name)
		if v.Valid() && v.V == 0 {
			l.report(ruleValue, v.Range, "Invalid number", "With 0 nothing would get through. %s is 1 or more; where there is to be no limit, leave it out.", name)
			return 0
		}
		return l.number(v, name, 0, 1, math.MaxInt32)
	}
	return model.CircuitBreaker{
		MaxConnections:     limit("max_connections"),
		MaxPendingRequests: limit("max_pending_requests"),
		MaxRequests:        limit("max_requests"),
		MaxRetries:         limit("max_retries"),
	}
}

// checkRetryLimits holds that retries are bounded in one way. Envoy looks at max_retries only where there is no budget.
func (l *loader) checkRetryLimits(body *lang.Body, out *upstream) {
	for _, breaker := range body.Blocks("circuit_breaker") {
		limit := breaker.Int("max_retries")
		if !limit.Said() {
			continue
		}
		for _, retry := range body.Blocks("retry") {
			for _, budget := range retry.Blocks("budget") {
				l.report(ruleRetries, later(limit.Range, budget.DefRange), "Both max_retries and a retry budget",
					"Retries that are under way are bounded by a number, circuit_breaker { max_retries }, or by a share of the requests, retry { budget }. Remove one of the two.")
			}
		}
		out.model.Retry.Budget = model.Budget{}
	}
}
