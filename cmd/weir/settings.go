package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/weirproxy/weir/admin"
)

// writeSettings prints what an upstream says of its requests: an attribute a row, a block a row, by the names of the
// language.
func writeSettings(row func(name, value string), u admin.Upstream) error {
	for _, s := range []struct {
		name  string
		value any
	}{
		{"load_balancing", u.LoadBalancing},
		{"hash_key", u.HashKey},
		{"slow_start", u.SlowStart},
		{"retries", u.Retries},
		{"retry", u.Retry},
		{"connect_timeout", u.ConnectTimeout},
		{"idle_timeout", u.IdleTimeout},
		{"max_connection_duration", orNone(u.MaxConnectionDuration)},
		{"max_requests_per_connection", orNone(u.MaxRequestsPerConnection)},
		{"circuit_breaker", u.CircuitBreaker},
		{"tcp_keepalive", u.TCPKeepalive},
		{"http2_keepalive", u.HTTP2Keepalive},
		{"health_check", u.HealthCheck},
		{"outlier_detection", u.OutlierDetection},
		{"panic_threshold", u.PanicThreshold},
		{"tls", u.TLS},
	} {
		text, err := settingText(s.value)
		if err != nil {
			return fmt.Errorf("show %s: %w", s.name, err)
		}
		row(s.name, text)
	}
	return nil
}

// orNone is nil for the zero value.
func orNone[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// settingText is a value as its JSON has it, without the punctuation: "interval 5s, timeout 1s", where a block in a block is
// "back_off { base 5ms, max 50ms }". null is nothing, and {} is "on".
func settingText(value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	text, err := nextText(decoder)
	text = strings.TrimSuffix(strings.TrimPrefix(text, "{ "), " }")
	if text == "{}" {
		text = "on"
	}
	return text, err
}

// nextText is the next value of a document, in the order in which it stands there.
func nextText(decoder *json.Decoder) (string, error) {
	token, err := decoder.Token()
	if err != nil {
		return "", err
	}
	open, isOpen := token.(json.Delim)
	switch {
	case token == nil:
		return "", nil
	case !isOpen:
		return fmt.Sprint(token), nil
	}
	var parts []string
	for decoder.More() {
		name := ""
		if open == '{' {
			key, err := decoder.Token()
			if err != nil {
				return "", err
			}
			name = fmt.Sprint(key) + " "
		}
		value, err := nextText(decoder)
		if err != nil {
			return "", err
		}
		parts = append(parts, name+value)
	}
	if _, err := decoder.Token(); err != nil { // the closing bracket
		return "", err
	}
	switch {
	case open == '[':
		return strings.Join(parts, " "), nil
	case len(parts) == 0:
		return "{}", nil
	}
	return "{ " + strings.Join(parts, ", ") + " }", nil
}
