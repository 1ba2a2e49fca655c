package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// decodeHealth reads how nodes are found to be unhealthy, and what happens then.
func (l *loader) decodeHealth(body *lang.Body, out *upstream) {
	for _, inner := range body.Blocks("health_check") {
		out.model.HealthCheck = l.decodeHealthCheck(inner, out)
	}
	for _, inner := range body.Blocks("outlier_detection") {
		out.model.Outliers = l.decodeOutliers(inner)
	}
	threshold := body.Int("panic_threshold")
	out.model.PanicThreshold = l.number(threshold, "panic_threshold", model.DefaultPanicThreshold, 0, 100)
	if threshold.Said() && out.model.HealthCheck == nil && out.model.Outliers == nil {
		l.report(ruleHealth, threshold.Range, "Panic threshold without a health check",
			"Upstream %q has no health_check and no outlier_detection, so all of its nodes are always healthy, and panic_threshold means nothing. Add one of the two, or remove it.", out.model.Name)
	}
}

func (l *loader) decodeHealthCheck(body *lang.Body, up *upstream) *model.HealthCheck {
	usual := model.CheckHTTP
	if up.protocol.V.HTTP2() {
		usual = model.CheckGRPC
	}
	kind := choice(l, body.String("type"), usual, model.CheckHTTP, model.CheckTCP, model.CheckGRPC)
	out := &model.HealthCheck{
		Type:               kind.V,
		Interval:           l.span(body.Duration("interval"), "interval", 5*time.Second, false),
		Timeout:            l.span(body.Duration("timeout"), "timeout", 5*time.Second, false),
		HealthyThreshold:   l.number(body.Int("healthy_threshold"), "healthy_threshold", 2, 1, math.MaxInt32),
		UnhealthyThreshold: l.number(body.Int("unhealthy_threshold"), "unhealthy_threshold", 3, 1, math.MaxInt32),
	}
	if kind.State == lang.Invalid {
		return out
	}
	if kind.V == model.CheckGRPC && up.protocol.Valid() && !up.protocol.V.HTTP2() {
		l.report(ruleHealth, body.DefRange, "gRPC health check over HTTP/1.1",
			"The protocol of upstream %q is %q, and a health check of type \"grpc\" is a gRPC call, which needs HTTP/2. Write protocol = \"grpc\" or \"grpcs\", or another type: \"http\" or \"tcp\".", up.model.Name, up.protocol.V)
	}
	for attribute, types := range map[string][]model.HealthCheckType{
		"path": {model.CheckHTTP}, "expected_statuses": {model.CheckHTTP}, "host": {model.CheckHTTP, model.CheckGRPC}, "service": {model.CheckGRPC},
	} {
		l.checkOfType(body, attribute, kind.V, types)
	}
	l.decodeAsked(out, body, up)
	return out
}

// checkOfType refuses an attribute that means nothing for a type of health check.
func (l *loader) checkOfType(body *lang.Body, attribute string, kind model.HealthCheckType, types []model.HealthCheckType) {
	said, at := body.StringList("expected_statuses").Said(), body.StringList("expected_statuses").Range
	if attribute != "expected_statuses" {
		said, at = body.String(attribute).Said(), body.String(attribute).Range
	}
	if !said || slices.Contains(types, kind) {
		return
	}
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = string(t)
	}
	l.report(ruleHealth, at, "Meaningless for this type of health check",
		"A health check of type %q has no %s; one of type %s has. Remove it, or change the type.", kind, attribute, quotedList(words, "or"))
}

// decodeAsked reads what nodes are asked, and which answers are good.
func (l *loader) decodeAsked(out *model.HealthCheck, body *lang.Body, up *upstream) {
	host, path := body.String("host"), body.String("path")
	if out.Type != model.CheckTCP {
		out.Host = host.Or(up.model.HostHeader)
	}
	if host.Valid() {
		if wrong := mend(host.V, wrongHostPort); wrong != "" {
			l.blame(host, &fault{ruleHealth, "Invalid Host header", "is not a Host header.", wrong,
				"A Host header is a DNS name or an IP address, and a port after a colon where one is needed."})
		}
	}
	if out.Type == model.CheckGRPC {
		out.Service = body.String("service").Or("")
		return
	}
	if out.Type != model.CheckHTTP {
		return
	}
	out.Path, out.Statuses = "/", []model.StatusRange{{First: 200, Last: 299}}
	if path.Valid() {
		out.Path = path.V
		if wrong := wrongCheckPath(path.V); wrong != "" {
			l.blame(path, &fault{ruleHealth, "Invalid path of a health check", "is not a path that a node can be asked for.", wrong,
				"It starts with a slash, may have a query, and holds no spaces and no characters beyond ASCII."})
		}
	}
	if statuses := body.StringList("expected_statuses"); statuses.Said() {
		out.Statuses = l.decodeStatuses(statuses)
	}
}

func wrongCheckPath(text string) string {
	switch {
	case !strings.HasPrefix(text, "/"):
		return fmt.Sprintf("Write %q.", "/"+text)
	case strings.Contains(text, "#"):
		return "What follows the # is never sent to a server; leave it out."
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "Write such characters as %20 and the like."
	}
	return ""
}

// decodeStatuses reads "200" and "200-299".
func (l *loader) decodeStatuses(v lang.Value[[]lang.Value[string]]) []model.StatusRange {
	words, _ := l.words(v, "expected_statuses", "200-299", func(text string) (string, *fault) {
		if _, ok := parseStatuses(text); !ok {
			return "", &fault{ruleHealth, "Invalid status", "is not a status, and no range of them.", statusHint(text), "It is \"200\", or from and to, \"200-299\", within 100-599."}
		}
		return text, nil
	})
	var out []model.StatusRange
	for _, word := range words {
		parsed, _ := parseStatuses(word)
		out = append(out, parsed)
	}
	return out
}

// statusHint is what "2xx" means.
func statusHint(text string) string {
	if len(text) == 3 && text[0] >= '1' && text[0] <= '5' && strings.EqualFold(text[1:], "xx") {
		return fmt.Sprintf("Write \"%c00-%c99\".", text[0], text[0])
	}
	return ""
}

func parseStatuses(text string) (model.StatusRange, bool) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.ParseUint(from, 10, 16)
	last, err2 := strconv.ParseUint(to, 10, 16)
	return model.StatusRange{First: int(first), Last: int(last)}, err1 == nil && err2 == nil && first >= 100 && last <= 599 && first <= last
}

func (l *loader) decodeOutliers(body *lang.Body) *model.OutlierDetection {
	count := func(name string, def int) int { return l.number(body.Int(name), name, def, 0, math.MaxInt32) }
	base, most := body.Duration("base_ejection_time"), body.Duration("max_ejection_time")
	out := &model.OutlierDetection{
		Consecutive5xx:                count("consecutive_5xx", 5),
		ConsecutiveGatewayFailure:     count("consecutive_gateway_failure", 0),
		ConsecutiveLocalOriginFailure: count("consecutive_local_origin_failure", 5),
		Interval:                      l.span(body.Duration("interval"), "interval", 10*time.Second, false),
		BaseEjectionTime:              l.span(base, "base_ejection_time", 30*time.Second, false),
		MaxEjectionPercent:            l.number(body.Int("max_ejection_percent"), "max_ejection_percent", 50, 1, 100),
	}
	out.MaxEjectionTime = l.span(most, "max_ejection_time", max(5*time.Minute, out.BaseEjectionTime), false)
	if out.MaxEjectionTime < out.BaseEjectionTime && base.State != lang.Invalid {
		l.report(ruleHealth, most.Range, "Ejection that shrinks",
			"max_ejection_time is %s, and base_ejection_time, the first one's length, is %s. Each further ejection of a node is longer by base_ejection_time, max_ejection_time at most; it is not less.", out.MaxEjectionTime, out.BaseEjectionTime)
	}
	if out.Consecutive5xx+out.ConsecutiveGatewayFailure+out.ConsecutiveLocalOriginFailure == 0 {
		l.report(ruleHealth, body.DefRange, "Outlier detection without a condition",
			"All conditions of this block are switched off (0), so no node is ever taken out. Say one of consecutive_5xx, consecutive_gateway_failure and consecutive_local_origin_failure, or remove the block.")
	}
	return out
}
