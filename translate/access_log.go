package translate

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	fileaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	streamaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	headermutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	headertometadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/weirproxy/weir/model"
)

// observed is the dynamic metadata of a request in which its names and its original path stand for logs and traces.
const observed = "weir"

// logFields are what a JSON line says. No header is among them but the two named here, no body, and of the path no
// query string: tokens travel in those.
var logFields = map[string]string{
	"start_time":     "%START_TIME%",
	"method":         "%REQUEST_HEADER(:METHOD)%",
	"host":           "%DYNAMIC_METADATA(weir:host)%",
	"path":           "%DYNAMIC_METADATA(weir:path)%",
	"protocol":       "%PROTOCOL%",
	"status":         "%RESPONSE_CODE%",
	"flags":          "%RESPONSE_FLAGS%",
	"details":        "%RESPONSE_CODE_DETAILS%",
	"duration_ms":    "%DURATION%",
	"bytes_received": "%BYTES_RECEIVED%",
	"bytes_sent":     "%BYTES_SENT%",
	"remote_address": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
	"user_agent":     "%REQUEST_HEADER(USER-AGENT)%",
	"request_id":     "%REQUEST_HEADER(X-REQUEST-ID)%",
	"sni":            "%REQUESTED_SERVER_NAME%",
	"service":        "%DYNAMIC_METADATA(weir:service)%",
	"api":            "%DYNAMIC_METADATA(weir:api)%",
	"upstream":       "%UPSTREAM_CLUSTER%",
	"node":           "%UPSTREAM_HOST%",
	"attempts":       "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
	"failure":        "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}

// logLine is what a text line says, of the same.
const logLine = `%START_TIME% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% "%REQUEST_HEADER(:METHOD)% %DYNAMIC_METADATA(weir:path)% %PROTOCOL%" ` +
	`%RESPONSE_CODE% %RESPONSE_FLAGS% %DURATION%ms in=%BYTES_RECEIVED% out=%BYTES_SENT% host="%DYNAMIC_METADATA(weir:host)%" ` +
	`api=%DYNAMIC_METADATA(weir:service)%/%DYNAMIC_METADATA(weir:api)% upstream=%UPSTREAM_CLUSTER% node=%UPSTREAM_HOST% ` +
	`attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT% id=%REQUEST_HEADER(X-REQUEST-ID)%` + "\n"

// accessLog is the log of a listener's requests; none where the instance has none.
func accessLog(a *model.AccessLog, l *model.Listener) []*accesslogv3.AccessLog {
	if a == nil {
		return nil
	}
	format := &corev3.SubstitutionFormatString{}
	if a.Format == model.TextLog {
		format.Format = &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
			Specifier: &corev3.DataSource_InlineString{InlineString: logLine},
		}}
	} else {
		fields := map[string]*structpb.Value{"listener": structpb.NewStringValue(l.Name)}
		for name, value := range logFields {
			fields[name] = structpb.NewStringValue(value)
		}
		format.Format = &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: &structpb.Struct{Fields: fields}}
	}
	// Opening /dev/stdout anew fails where it is a socket, and where Envoy has given up root; its own descriptor works.
	name, sink := "envoy.access_loggers.file", proto.Message(&fileaccesslogv3.FileAccessLog{
		Path: a.Path, AccessLogFormat: &fileaccesslogv3.FileAccessLog_LogFormat{LogFormat: format},
	})
	switch a.Path {
	case "/dev/stdout":
		name, sink = "envoy.access_loggers.stdout", &streamaccesslogv3.StdoutAccessLog{
			AccessLogFormat: &streamaccesslogv3.StdoutAccessLog_LogFormat{LogFormat: format},
		}
	case "/dev/stderr":
		name, sink = "envoy.access_loggers.stderr", &streamaccesslogv3.StderrAccessLog{
			AccessLogFormat: &streamaccesslogv3.StderrAccessLog_LogFormat{LogFormat: format},
		}
	}
	return []*accesslogv3.AccessLog{{Name: name, ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: pack(sink)}}}
}

// routeHeader carries the route's name, "SERVICE/API", from one filter to the next. No node sees it.
const routeHeader = "x-weir-route"

// observation is the filters that note, where somebody asks for it, what a log or a trace says of a request: the path and
// the Host as the caller sent them, since both are rewritten later, and the names of its service and API. The names are
// those of the route, taken apart here: as metadata of 10,000 routes they would take 7 MB of Envoy's memory, and double
// the time of translating them.
func observation(instance *model.Instance) []*hcmv3.HttpFilter {
	if instance.AccessLog == nil && instance.Tracing == nil {
		return nil
	}
	mutation := func(m *mutationrulesv3.HeaderMutation) *headermutationv3.HeaderMutation {
		return &headermutationv3.HeaderMutation{Mutations: &headermutationv3.Mutations{RequestMutations: []*mutationrulesv3.HeaderMutation{m}}}
	}
	return []*hcmv3.HttpFilter{
		// A caller's own header goes in a filter before, which asks for the route when it has done so: a name is that of the route
		// which was asked for last, and that of a part was not yet.
		httpFilter("weir.find_route", mutation(&mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_Remove{Remove: routeHeader}})),
		httpFilter("weir.name_route", mutation(&mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_Append{
			Append: &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: routeHeader, Value: "%ROUTE_NAME%"}},
		}})),
		httpFilter("weir.observe", &headertometadatav3.Config{RequestRules: []*headertometadatav3.Config_Rule{
			note(":authority", "host", "", false),
			note(":path", "path", `\?.*$`, false),
			note(routeHeader, "service", `/.*$`, false),
			note(routeHeader, "api", `^[^/]*/`, true),
		}}),
	}
}

// note copies a header, less what matches a pattern, and may take it away.
func note(header, key, without string, remove bool) *headertometadatav3.Config_Rule {
	pair := &headertometadatav3.Config_KeyValuePair{MetadataNamespace: observed, Key: key, Type: headertometadatav3.Config_STRING}
	if without != "" {
		pair.RegexValueRewrite = regexRewrite(without, "")
	}
	return &headertometadatav3.Config_Rule{Header: header, OnHeaderPresent: pair, Remove: remove}
}
