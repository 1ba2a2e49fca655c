package translate

import (
	"testing"

	"github.com/weirproxy/weir/model"
)

// TestRedirects looks at where callers are sent.
func TestRedirects(t *testing.T) {
	c := edge()
	redirect := func(name, line string, r model.Redirect) *model.API {
		if r.Status == 0 {
			r.Status = 301
		}
		api := mockAPI("", name, line)
		api.Backend = model.Backend{Redirect: &r}
		return api
	}
	addService(c, "shop", "shop.test",
		redirect("https", "*", model.Redirect{Scheme: model.HTTPS}),
		redirect("port", "/port", model.Redirect{Scheme: model.HTTPS, Port: 8443, Status: 308}),
		redirect("host", "/host/*", model.Redirect{Host: "www.test", Status: 302}),
		redirect("six", "/six", model.Redirect{Host: "2001:db8::1", Status: 303}),
		redirect("strip", "/strip", model.Redirect{Host: "www.test", StripQuery: true, Status: 307}),
		redirect("path", "/old", model.Redirect{Path: "/new"}),
		redirect("one", "/many/*", model.Redirect{Path: "/one/"}),
		redirect("swap", "/swap/{a}/{b}", model.Redirect{Path: "/{b}/x/{a}"}),
		redirect("fixed", "/fixed/{a}", model.Redirect{Path: "/fixed.(txt)"}),
		redirect("swap_strip", "/both/{a}", model.Redirect{Path: "/b/{a}", StripQuery: true, Scheme: model.HTTPS}),
		redirect("prefix", "/prefix/*", model.Redirect{PathPrefix: "/v1"}),
		redirect("to_root", "/to.root/*", model.Redirect{PathPrefix: "/"}),
	)
	addService(c, "old", "old.test", redirect("all", "*", model.Redirect{Host: "new.test", PathPrefix: "/old"}))
	caller := startEnvoy(t, cutUp(c), nil).dial("http", nil)
	for _, test := range []struct {
		host, path string
		status     int
		location   string
	}{
		{"shop.test", "/", 301, "https://shop.test/"},
		{"shop.test", "/a/b?x=1&y=%2F", 301, "https://shop.test/a/b?x=1&y=%2F"},
		{"shop.test:80", "/a", 301, "https://shop.test/a"},
		{"shop.test:8080", "/a", 301, "https://shop.test:8080/a"},
		{"shop.test:8080", "/port", 308, "https://shop.test:8443/port"},
		{"shop.test", "/host/a?b", 302, "http://www.test/host/a?b"},
		{"shop.test:8080", "/host", 302, "http://www.test/host"},
		{"shop.test", "/six", 303, "http://[2001:db8::1]/six"},
		{"shop.test", "/strip?a=b", 307, "http://www.test/strip"},
		{"shop.test", "/old?a=b", 301, "http://shop.test/new?a=b"},
		{"shop.test", "/many/a/b?c", 301, "http://shop.test/one/?c"},
		{"shop.test", "/swap/1/%5B2?x=/swap/3/4", 301, "http://shop.test/%5B2/x/1?x=/swap/3/4"},
		{"shop.test", "/fixed/1?a", 301, "http://shop.test/fixed.(txt)?a"},
		{"shop.test", "/both/1?a=/both/2", 301, "https://shop.test/b/1"},
		{"shop.test", "/prefix", 301, "http://shop.test/v1"},
		{"shop.test", "/prefix/?a", 301, "http://shop.test/v1/?a"},
		{"shop.test", "/prefix/a", 301, "http://shop.test/v1/a"},
		{"shop.test", "/to.root", 301, "http://shop.test/"},
		{"shop.test", "/to.root?x=/", 301, "http://shop.test/?x=/"},
		{"shop.test", "/to.root/a/to.root/", 301, "http://shop.test/a/to.root/"},
		{"old.test", "/a?b", 301, "http://new.test/old/a?b"},
	} {
		a := caller.do("GET", test.host, test.path)
		if got := a.Header.Get("Location"); a.Status != test.status || got != test.location {
			t.Errorf("%s%s: %d %s, want %d %s", test.host, test.path, a.Status, got, test.status, test.location)
		}
	}
}
