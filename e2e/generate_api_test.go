package e2e

import (
	"fmt"
	"strings"
)

// api is one random API. Its paths hold what URLs may hold and people write.
func (g generator) api(number int, upstream string) string {
	text := fmt.Sprintf("  api \"a%d\" {\n", number)
	if g.seldom() {
		text += fmt.Sprintf("    methods = [%q, %q]\n", g.one("GET", "POST", "PATCH"), g.one("PUT", "PROPFIND", "OPTIONS", "CONNECT", "TRACE"))
	}
	var variables []string
	prefix := g.IntN(3) == 0
	switch {
	case prefix:
		text += fmt.Sprintf("    path_prefix = %q\n", g.literal(number)+g.one("", "", "/"))
	case g.often():
		path := ""
		path, variables = g.template(number)
		text += fmt.Sprintf("    path = %q\n", path)
	}
	return text + "    backend {\n" + g.backend(upstream, prefix, variables) + "    }\n  }\n"
}

// literal is a path without variables.
func (g generator) literal(number int) string {
	text := fmt.Sprintf("/p%d", number)
	for range g.IntN(3) {
		text += "/" + g.one("orders", "a.b", "a-b_c~d", "%20", "%2F", "%C3%BC", "ü", "a+b", "a=b", "a:b", "a@b", "(x)", "a,b;c", "!$&'", "*", "**", "[x]", "|", "^", "`",
			"..", ".", "\\d+", "x.*", "<id>", strings.Repeat("long", 100))
	}
	return text
}

// template is a path with variables, near the limits of Envoy's templates and beyond them.
func (g generator) template(number int) (string, []string) {
	path := g.literal(number)
	var variables []string
	for i := range []int{0, 0, 1, 1, 2, 3, 5, 6, 9, 10}[g.IntN(10)] {
		name := fmt.Sprintf("%s%d", g.one("id", "v", "Name", "with_underscore_", "_x", "a_rather_long_variable_name", "9"), i)
		variables = append(variables, name)
		path += "/{" + name + "}"
		if g.seldom() {
			path += "/" + g.one("of", "a.b", "%41", "x*", "(y)")
		}
	}
	return path + g.one("", "", "", "/"), variables
}

// backend is an upstream, a URL or a mock.
func (g generator) backend(upstream string, prefix bool, variables []string) string {
	if g.seldom() {
		return g.mock()
	}
	text := fmt.Sprintf("      upstream = upstream[%q]\n", upstream)
	if g.seldom() {
		text = fmt.Sprintf("      url = %q\n", g.one("http", "https")+"://"+g.one("api.example.com", "API.example.com:8443", "192.0.2.1", "192.0.2.1:8080",
			"[2001:db8::9]", "[2001:db8::9]:8443", "under_score.example", "localhost", "a.example."))
	}
	if g.IntN(2) == 0 {
		text += fmt.Sprintf("      path = %q\n", g.rewrite(prefix, variables))
	}
	if g.seldom() {
		text += fmt.Sprintf("      timeout = %q\n", g.one("0s", "1ms", "15s", "1h30m", "100h", "1.5s", "250us"))
	}
	return text
}

// rewrite is a backend.path that uses some of the variables, in another order.
func (g generator) rewrite(prefix bool, variables []string) string {
	if prefix && g.IntN(3) == 0 {
		return "/"
	}
	text := g.one("/v1", "/v1/a.b", "/ü", "/%20", "/a b", "/\\1", "/$1", "/x\\\\0", "/"+strings.Repeat("long", 80))
	for _, i := range g.Perm(len(variables)) {
		if g.often() {
			text += "/{" + variables[i] + "}"
		}
	}
	return text + g.one("", "", "/", "/end", "?fixed=1")
}

// mock is an answer of the gateway's own, some of them larger than Envoy's default limit.
func (g generator) mock() string {
	body := g.one(`""`, `"pong"`, `"{\"a\": 1}\n"`, `"ünïcode %%REQ(:path)%%"`, `"100%"`, fmt.Sprintf("%q", strings.Repeat("x", 5000)))
	status := []int{200, 201, 204, 301, 404, 418, 500, 599}[g.IntN(8)]
	return fmt.Sprintf("      mock {\n        status = %d\n        body = %s\n      }\n", status, body)
}
