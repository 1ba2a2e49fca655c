package config

import (
	"strings"
	"testing"

	"github.com/weirproxy/weir/model"
)

func TestParseHostPort(t *testing.T) {
	for text, want := range map[string]string{
		"orders":                             "orders",
		"Orders.Test:80":                     "orders.test:80",
		"10.0.0.1":                           "10.0.0.1",
		"10.0.0.1:65535":                     "10.0.0.1:65535",
		"[0::1]:80":                          "[::1]:80",
		"[2001:DB8:0:0::1]":                  "[2001:db8::1]",
		"[::ffff:10.0.0.1]:80":               "10.0.0.1:80",
		"my_service-1.internal:1":            "my_service-1.internal:1",
		"1st.example.com":                    "1st.example.com",
		strings.Repeat("a", 63) + ".test:80": strings.Repeat("a", 63) + ".test:80",
	} {
		got, wrong := parseHostPort(text)
		if wrong.wrong != "" || got.String() != want {
			t.Errorf("parseHostPort(%q) = %q, %q; want %q", text, got, wrong, want)
		}
		again, wrong := parseHostPort(got.String())
		if wrong.wrong != "" || again != got {
			t.Errorf("parseHostPort(%q) is not canonical: %v, %q", got, again, wrong)
		}
	}
}

func TestParseHostPortSaysWhatToWrite(t *testing.T) {
	for text, remedy := range map[string]string{
		"2001:db8::1:80":                `"[2001:db8::1]:80"`,
		"::1:80":                        `"[::1]:80"`,
		"2001:db8:1:2:3:4:5:6":          `"[2001:db8:1:2:3:4:5:6]"`,
		"2001:db8:1:2:3:4:5:6:80":       `"[2001:db8:1:2:3:4:5:6]:80"`,
		"::1":                           `"[::1]"`,
		"https://orders.test:443/v1":    `"orders.test:443"`,
		"orders.test:80/v1":             `"orders.test:80"`,
		"orders.test.":                  `"orders.test"`,
		"größe.test":                    "Punycode",
		"10.0.0.1:080":                  `"10.0.0.1:80"`,
		"10.0.0.300:80":                 "not an IPv4 address",
		strings.Repeat("a", 64) + ".x":  "63 characters",
		strings.Repeat("a.", 127) + "x": "253 characters",
	} {
		if wrong := mend(text, wrongHostPort); !strings.Contains(wrong, remedy) {
			t.Errorf("parseHostPort(%q) says %q, without %s", text, wrong, remedy)
		}
	}
}

func TestParsePath(t *testing.T) {
	for text, kind := range map[string]model.PathKind{
		"/":                                    model.ExactPath,
		"/orders":                              model.ExactPath,
		"/orders/":                             model.ExactPath,
		"/a;b=c/d,e@f:g":                       model.ExactPath,
		"/gr%C3%B6%C3%9Fe/a%20b":               model.ExactPath,
		"/a%2Fb":                               model.ExactPath,
		"/.well-known/...":                     model.ExactPath,
		"/orders/{id}":                         model.TemplatePath,
		"/{a}/{b_2}/":                          model.TemplatePath,
		"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}": model.TemplatePath,
	} {
		got, bad := parsePath(text)
		if bad != nil || got.Kind != kind || got.Text != text {
			t.Errorf("parsePath(%q) = %v, %v", text, got, bad)
		}
	}
}

func TestPathFaultSaysWhatToWrite(t *testing.T) {
	for text, remedy := range map[string]string{
		"orders":                `"/orders"`,
		"/gr\u00f6\u00dfe%20/a": `"/gr%C3%B6%C3%9Fe%20/a"`,
		"/a b":                  `"/a%20b"`,
		"/%6Frd%65rs%2F":        `"/orders%2F"`,
		"/orders/{id}.json":     "one whole segment",
		"/100%":                 "%25",
	} {
		if _, bad := parsePath(text); bad == nil || !strings.Contains(bad.wrong, remedy) {
			t.Errorf("parsePath(%q) says %v, without %s", text, bad, remedy)
		}
	}
}

func TestParsePrefixDropsTheTrailingSlash(t *testing.T) {
	for text, want := range map[string]string{"/": "/", "/orders": "/orders", "/orders/": "/orders"} {
		got, bad := parsePrefix(text)
		if bad != nil || got.Text != want || got.Kind != model.PrefixPath {
			t.Errorf("parsePrefix(%q) = %v, %v; want %q", text, got, bad, want)
		}
	}
}

func TestParseReplacement(t *testing.T) {
	template := model.Path{Kind: model.TemplatePath, Text: "/orders/{id}/{item}"}
	prefix := model.Path{Kind: model.PrefixPath, Text: "/orders"}
	exact := model.Path{Kind: model.ExactPath, Text: "/orders"}
	for _, c := range []struct {
		text    string
		matched model.Path
		want    string // empty: refused
	}{
		{"/v1/{id}", template, "/v1/{id}"},
		{"/v1/{item}/{id}/", template, "/v1/{item}/{id}/"},
		{"/v1/%7Euser%c3", exact, "/v1/%7Euser%c3"},
		{"/v1/%7Euser", exact, "/v1/%7Euser"},
		{"/v1/", exact, "/v1/"},
		{"/v1/", prefix, "/v1"},
		{"/", prefix, "/"},
		{"/v1/{other}", template, ""},
		{"/v1/{id}", prefix, ""},
		{"/v1/{id}", exact, ""},
		{"", exact, ""},
	} {
		got, bad := parseReplacement(c.text, c.matched)
		if got != c.want || (bad == nil) != (c.want != "") {
			t.Errorf("parseReplacement(%q, %v) = %q, %v; want %q", c.text, c.matched, got, bad, c.want)
		}
	}
}

func TestPathShape(t *testing.T) {
	same := [][2]model.Path{
		{{Kind: model.AnyPath}, {Kind: model.PrefixPath, Text: "/"}},
		{{Kind: model.TemplatePath, Text: "/a/{b}/c"}, {Kind: model.TemplatePath, Text: "/a/{x}/c"}},
	}
	for _, pair := range same {
		if a, b := pathShape(pair[0]), pathShape(pair[1]); a != b {
			t.Errorf("%v and %v differ: %q, %q", pair[0], pair[1], a, b)
		}
	}
	different := []model.Path{
		{Kind: model.AnyPath},
		{Kind: model.PrefixPath, Text: "/a"},
		{Kind: model.ExactPath, Text: "/a"},
		{Kind: model.ExactPath, Text: "/a/"},
		{Kind: model.ExactPath, Text: "/A"},
		{Kind: model.TemplatePath, Text: "/{a}"},
		{Kind: model.TemplatePath, Text: "/{a}/"},
	}
	seen := map[string]model.Path{}
	for _, p := range different {
		if other, taken := seen[pathShape(p)]; taken {
			t.Errorf("%v and %v have one shape", other, p)
		}
		seen[pathShape(p)] = p
	}
}

func TestParseDomain(t *testing.T) {
	for text, want := range map[string]string{
		"Shop.Example.COM": "shop.example.com",
		"*.Example.com":    "*.example.com",
		"*.com":            "*.com",
		"localhost":        "localhost",
		"10.0.0.1":         "10.0.0.1",
		"0::1":             "[::1]",
		"[0::1]":           "[::1]",
	} {
		if got, bad := parseDomain(text); bad != nil || got != want {
			t.Errorf("parseDomain(%q) = %q, %v; want %q", text, got, bad, want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]model.URL{
		"https://API.test":      {Protocol: model.HTTPS, Host: "api.test", Port: 443},
		"http://api.test":       {Protocol: model.HTTP, Host: "api.test", Port: 80},
		"http://api.test:8080":  {Protocol: model.HTTP, Host: "api.test", Port: 8080, Explicit: true},
		"HTTPS://[2001:db8::1]": {Protocol: model.HTTPS, Host: "2001:db8::1", Port: 443},
		"https://192.0.2.1:443": {Protocol: model.HTTPS, Host: "192.0.2.1", Port: 443, Explicit: true},
	} {
		if got, wrong := parseURL(text); wrong.wrong != "" || got != want {
			t.Errorf("parseURL(%q) = %+v, %q; want %+v", text, got, wrong, want)
		}
	}
	if wrong := mendURL("https://api.test/v1/"); !strings.Contains(wrong, `path = "/v1"`) {
		t.Errorf("no remedy for a path: %q", wrong)
	}
}

// TestSuggestionsAreAccepted writes each text again as the message says, which must be right then.
func TestSuggestionsAreAccepted(t *testing.T) {
	node := func(protocol model.Protocol) func(string) slip {
		return func(text string) slip {
			_, wrong := parseNode(text, protocol)
			return wrong
		}
	}
	url := func(text string) slip {
		_, wrong := parseURL(text)
		return wrong
	}
	backend := func(text string) slip { return wrongReplacement(text, model.Path{Kind: model.ExactPath, Text: "/a"}) }
	domain := func(text string) slip {
		_, wrong := canonicalDomain(text)
		return wrong
	}
	for _, c := range []struct {
		text  string
		judge func(string) slip
		want  string // in the message
		none  bool   // it suggests nothing
	}{
		{"https://user@foo:99999?x=1", url, "not within 1-65535", true},
		{"https://user@foo:999?x=1", url, `Write "https://foo:999".`, false},
		{"api.test/v1", url, `Write "https://api.test".`, false},
		{"a b.test", url, "white space", true},
		{"a b.test\n", node(model.HTTP), "white space", true},
		{"https://", url, "The host is missing.", true},
		{"http://224.0.0.1", url, "multicast", true},
		{"unix:///x", node(model.HTTP), "The host is missing.", true},
		{"http://orders.test/v1", node(model.HTTPS), `Write "orders.test:443".`, false},
		{"10.0.0.1", node(model.HTTPS), `Write "10.0.0.1:443".`, false},
		{"10.0.0.1", node(model.HTTP), `Write "10.0.0.1:80".`, false},
		{"2001:db8::1:080", node(model.HTTP), `Write "[2001:db8::1]:80".`, false},
		{"[fe80::1%eth0]:80", node(model.HTTP), `Write "[fe80::1]:80".`, false},
		{"0.0.0.0", node(model.HTTP), "127.0.0.1", true},
		{"224.0.0.1:80", node(model.HTTP), "multicast", true},
		{"[ff02::1]:80", node(model.HTTP), "multicast", true},
		{"255.255.255.255:80", node(model.HTTP), "broadcast", true},
		{"[::ffff:255.255.255.255]:80", node(model.HTTP), "broadcast", true},
		{"", wrongServerName, "It is empty.", true},
		{":443", wrongServerName, "cannot stand", true},
		{"orders.test:443", wrongServerName, `Write "orders.test".`, false},
		{"[2001:db8::1]:443", wrongServerName, `Write "2001:db8::1".`, false},
		{"[2001:db8::1]", wrongServerName, `Write "2001:db8::1".`, false},
		{"https://orders.test./x", wrongServerName, `Write "orders.test".`, false},
		{"fe80::1%eth0", wrongServerName, `Write "fe80::1".`, false},
		{"https://*.shop.test:443/x", domain, `Write "*.shop.test".`, false},
		{"*.shop.test.", domain, `Write "*.shop.test".`, false},
		{"https://*", domain, "leave the attribute out", true},
		{"10.0.0.1", node(""), "The port is missing", true},
		{"a/{x}/{x}/b", wrongPath, "stands in it twice", true},
		{"a/{x}/b", wrongPath, `Write "/a/{x}/b".`, false},
		{"a/{x}", wrongPrefixPath, "has no variables", true},
		{"/%2E%2E/x", wrongPath, "is resolved", true},
		{"/gr\u00f6%c3%zz", wrongPath, "two hexadecimal digits", true},
		{"gr\u00f6\u00df%c3/%6f", wrongPath, `Write "/gr%C3%B6%C3%9F%C3/o".`, false},
		{"/a%2fb%C3%b6", wrongPath, `%2f is not %2F to it. Write "/a%2Fb%C3%B6".`, false},
		{"/a%2f", wrongPrefixPath, `Write "/a%2F".`, false},
		{"orders/*", wrongPrefixPath, `Write "/orders".`, false},
		{"/*", wrongPrefixPath, `Write "/".`, false},
		{"", backend, "unchanged", true},
		{"v1/{x}", backend, "declares none", true},
		{"v1", backend, `Write "/v1".`, false},
		{"[::2]:80", domain, `Write "[::2]".`, false},
	} {
		wrong := mend(c.text, c.judge)
		if !strings.Contains(wrong, c.want) || strings.Contains(wrong, "Write \"") == c.none {
			t.Errorf("%q: %s", c.text, wrong)
		}
		told := map[string]bool{}
		for _, sentence := range strings.SplitAfter(wrong+" ", ". ") {
			if sentence != "" && told[sentence] {
				t.Errorf("%q: told twice: %s", c.text, sentence)
			}
			told[sentence] = true
		}
		if _, written, found := strings.Cut(wrong, "Write \""); found {
			if again := c.judge(strings.TrimSuffix(written, "\".")); again.wrong != "" {
				t.Errorf("%q: %s And that: %s", c.text, wrong, again.wrong)
			}
		}
	}
}
