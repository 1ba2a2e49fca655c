package e2e

import (
	"fmt"
	"strings"
)

// api is one random API. Its paths hold what URLs may hold and people write.
func (g generator) api(number int, upstream string) string {
	text := fmt.Sprintf("  api \"a%d\" {\n", number)
	if g.seldom() {
		text += fmt.Sprintf("    methods = [%q, %q]\n", g.one("GET", "POST", "PATCH"), g.either([]string{"PUT", "PROPFIND", "OPTIONS", "TRACE"}, []string{"CONNECT", "put", "X"}))
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
	backend := g.backend(upstream, prefix, variables)
	forwards := !strings.Contains(backend, " mock {") && !strings.Contains(backend, " redirect {") || g.IntN(60) == 0
	return text + g.conditions() + g.policies("    ", forwards) + "    backend {\n" + backend + "    }\n  }\n"
}

// literal is a path without variables.
func (g generator) literal(number int) string {
	text := fmt.Sprintf(g.one("/p%d", "/p%d", "/shared/p%d", "/shared/p%dx"), number)
	for range g.IntN(3) {
		text += "/" + g.either(
			[]string{"orders", "a.b", "a-b_c~d", "%20", "%2F", "%C3%BC", "a+b", "a=b", "a:b", "a@b", "(x)", "a,b;c", "!$&'", "*", "**", "x.*", strings.Repeat("long", 100)},
			[]string{"ü", "[x]", "|", "^", "`", "..", ".", "\\d+", "<id>", "%", "%zz", "\"", "a b", "%41", "?", "#", "", "\n", "%00"})
	}
	return text
}

// template is a path with variables, near the limits of Envoy's templates and beyond them.
func (g generator) template(number int) (string, []string) {
	path := g.literal(number)
	var variables []string
	if g.seldom() {
		path, variables = "/{tenant}"+path, []string{"tenant"}
	}
	for i := range []int{0, 0, 1, 1, 2, 3, 5, 6, 9}[g.IntN(9)] {
		name := fmt.Sprintf("%s%d", g.either([]string{"id", "v", "Name", "with_underscore_", "a_rather_long_variable_name"}, []string{"_x", "9", "a-b", "ü", ""}), i)
		variables = append(variables, name)
		path += "/{" + name + "}"
		if g.seldom() {
			path += "/" + g.either([]string{"of", "a.b", "x*", "(y)"}, []string{"%41", "{x", "y}", "{{z}}", "a{b}"})
		}
	}
	return path + g.one("", "", "", "/"), variables
}

// backend is an upstream, a split, a URL, a redirect or a mock, and what stands beside it.
func (g generator) backend(upstream string, prefix bool, variables []string) string {
	text := fmt.Sprintf("      upstream = upstream[%q]\n", upstream)
	switch g.IntN(12) {
	case 0, 1:
		return g.mock()
	case 2:
		return g.redirect(prefix, variables)
	case 3:
		text = g.split(upstream)
	case 4, 5:
		text = fmt.Sprintf("      url = %q\n", g.one("http", "https")+"://"+g.url())
	}
	if g.seldom() {
		text += fmt.Sprintf("      mirror {\n        upstream = upstream[%q]\n        percent = %s\n      }\n", upstream, g.either([]string{"0", "1", "50", "100"}, []string{"101", "-1"}))
	}
	if g.IntN(2) == 0 {
		text += fmt.Sprintf("      path = %q\n", g.rewrite(prefix, variables))
	}
	if g.seldom() {
		text += fmt.Sprintf("      timeout = %q\n", g.either([]string{"0s", "1ms", "15s", "1h30m", "100h", "1.5s"}, []string{"250us", "-1s", "9000h", "1"}))
	}
	return text
}

// rewrite is a backend.path that uses some of the variables, in another order.
func (g generator) rewrite(prefix bool, variables []string) string {
	if prefix && g.IntN(3) == 0 {
		return "/"
	}
	text := g.either([]string{"/v1", "/v1/a.b", "/%20", "/$1", "/a*", "/%5C1", "/(x)", "/" + strings.Repeat("long", 80)},
		[]string{"/ü", "/a b", "/\\1", "/x\\\\0", "/{", "v1", "/{nobody}", "/%", "//a", "/../a"})
	for _, i := range g.Perm(len(variables)) {
		if g.often() {
			text += "/{" + variables[i] + "}"
		}
	}
	return text + g.either([]string{"", "", "/", "/end"}, []string{"?fixed=1", "#x", "//"})
}

// url is the server of a URL, its scheme aside. It is this configuration's own: a server has one scheme.
func (g generator) url() string {
	server := g.either([]string{"api%d.example.com", "API%d.example.com:8443", "192.0.%d.1", "192.0.%d.1:8080", "[2001:db8::%d]", "[2001:db8::%d]:8443", "h%d"},
		[]string{"under_score%d.example", "a%d.example.", "a%d.example/", "a%d.example:0", "user@a%d.example", "localhost%%%d"})
	return fmt.Sprintf(server, g.number%200)
}

// mock is an answer of the gateway's own, some of them larger than Envoy's default limit.
func (g generator) mock() string {
	body := g.one(`""`, `"pong"`, `"{\"a\": 1}\n"`, `"ünïcode %%REQ(:path)%%"`, `"100%"`, fmt.Sprintf("%q", strings.Repeat("x", 5000)))
	status := []int{200, 201, 301, 404, 418, 500, 599, 200}[g.IntN(8)]
	return fmt.Sprintf("      mock {\n        status = %d\n        body = %s\n      }\n", status, body)
}

// split is over the configuration's own upstream and those that the batch shares.
func (g generator) split(upstream string) string {
	weights := []int{0, 1, 10, 100, 65535}
	text, said := "      split {\n", g.often()
	for i, name := range []string{upstream, "shared0", "shared1"}[:2+g.IntN(2)] {
		text += fmt.Sprintf("        target {\n          upstream = upstream[%q]\n", name)
		if said {
			text += fmt.Sprintf("          weight = %d\n", weights[g.IntN(5-i)+i])
		}
		text += "        }\n"
	}
	return text + "      }\n"
}

// redirect is one to anywhere; some lead in a circle.
func (g generator) redirect(prefix bool, variables []string) string {
	text := "      redirect {\n"
	if g.often() {
		text += fmt.Sprintf("        host = %q\n", g.either([]string{"www.example.com", "WWW.Example.com", "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "x"}, []string{"a:80", "a b", "ü", "a/b", "*.example.com", ""}))
	}
	if g.IntN(2) == 0 {
		text += fmt.Sprintf("        port = %s\n", g.either([]string{"1", "80", "443", "8443", "65535"}, []string{"0", "65536", "-1"}))
	}
	if g.IntN(3) == 0 {
		text += fmt.Sprintf("        scheme = %q\n", g.one("http", "https"))
	}
	switch {
	case prefix && g.IntN(2) == 0:
		text += fmt.Sprintf("        path_prefix = %q\n", g.rewrite(true, nil))
	case g.IntN(2) == 0:
		text += fmt.Sprintf("        path = %q\n", g.rewrite(false, variables))
	}
	if g.IntN(2) == 0 {
		text += fmt.Sprintf("        status = %s\n        strip_query = %s\n", g.either([]string{"301", "302", "303", "307", "308"}, []string{"300", "304", "200"}), g.one("true", "false"))
	}
	return text + "      }\n"
}
