package config

import (
	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

var tracingSchema = lang.Schema{
	Hints: tracingHints,
	Attributes: []lang.Attribute{
		{Name: "otlp", Type: lang.String, Required: true},
		{Name: "sampling", Type: lang.Number},
	},
}

func (l *loader) decodeTracing(body *lang.Body) *model.Tracing {
	collector, sampling := body.String("otlp"), body.Number("sampling")
	out := &model.Tracing{Sampling: sampling.Or(1), Place: body.Place()}
	if sampling.Valid() && (sampling.V < 0 || sampling.V > 1) {
		l.report(ruleValue, sampling.Range, "Value out of range",
			"%v is no share of the requests, which is a number from 0, none, to 1, all of them: 0.05 is one in 20.", sampling.V)
	}
	if !collector.Valid() {
		return out
	}
	if wrong := mend(collector.V, wrongCollector); wrong != "" {
		l.blame(collector, &fault{ruleValue, "Invalid collector", "is not the address of a collector.", wrong,
			"A collector takes OTLP over gRPC, without TLS, at host:port; the usual port is 4317."})
		return out
	}
	parsed, _ := parseHostPort(collector.V) // wrongCollector has looked at it
	out.Host, out.Port = parsed.host, parsed.port
	return out
}

func wrongCollector(text string) slip {
	parsed, wrong := parseHostPort(text)
	switch {
	case wrong.wrong != "":
		return wrong
	case uncallable(parsed.host) != "":
		return slip{wrong: uncallable(parsed.host)}
	case !parsed.hasPort:
		parsed.hasPort, parsed.port = true, 4317
		return slip{"The port is missing.", parsed.String()}
	}
	return slip{}
}
