package admin

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/weirproxy/weir/model"
)

// The document of an upstream has every attribute and block that docs/language.md has.
func TestUpstreamIsComplete(t *testing.T) {
	text, err := os.ReadFile("../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	heading, row := regexp.MustCompile("^#{2,4} (.*)$"), regexp.MustCompile("^\\| `([a-z0-9_]+)` \\|")
	known := map[string]map[string]bool{}
	var fields func(at string, of reflect.Type)
	fields = func(at string, of reflect.Type) {
		known[at] = map[string]bool{}
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			known[at][name] = true
			inner := of.Field(i).Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				fields(at+"."+strings.TrimSuffix(name, "s"), inner)
				fields(at+"."+name, inner)
			}
		}
	}
	fields("upstream", reflect.TypeFor[Upstream]())
	section, rows := "", 0
	for _, line := range strings.Split(string(text), "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if m := row.FindStringSubmatch(line); m != nil && strings.HasPrefix(section, "upstream") {
			rows++
			if name := m[1]; known[section] == nil || !known[section][name] {
				t.Errorf("%s of %s is not shown", name, section)
			}
		}
	}
	if rows < 50 {
		t.Errorf("docs/language.md has only %d attributes of upstreams", rows)
	}
}

// What came from a sensitive variable is shown nowhere, and names are never hidden.
func TestSensitiveIsHidden(t *testing.T) {
	const secret = "orders-t0ken"
	state := loaded()
	state.Mask = func(text string) string { return strings.ReplaceAll(text, secret, "(sensitive)") }
	state.Configuration.Instances["edge"].Description = "of " + secret
	u := state.Configuration.Upstreams["orders"]
	u.Protocol, u.Description, u.HostHeader = model.HTTPS, secret, secret+".internal"
	u.HashKey = &model.HashKey{Header: secret, Cookie: secret}
	u.HealthCheck = &model.HealthCheck{Path: "/" + secret, Host: secret, Service: secret}
	u.TLS = &model.UpstreamTLS{SNI: secret, CAFile: secret, Client: &model.Certificate{
		CertificateFile: secret, PrivateKeyFile: secret, PrivateKey: model.Secret("key of all"),
	}}
	u.Nodes[0].Host, u.Nodes[0].Description = secret, secret
	state.Configuration.Services["shop"].APIs["get"].Path.Text = "/" + secret
	for _, path := range []string{"/api/v1/upstreams", "/api/v1/upstreams/orders", "/api/v1/status", "/api/v1/instances"} {
		text := body(t, ask(options(state), "GET", path))
		if strings.Contains(text, secret) || strings.Contains(text, "key of all") || !strings.Contains(text, "(sensitive)") || !json.Valid([]byte(text)) {
			t.Errorf("%s shows what is sensitive, or nothing: %s", path, text)
		}
	}
	if got := decode[Upstream](t, ask(options(state), "GET", "/api/v1/upstreams/orders")); got.Name != "orders" || got.Nodes[0].Address != "(sensitive):80" {
		t.Errorf("got %+v", got)
	}
}
