package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// domainsText is five services, each of which answers with its name.
const domainsText = edgeText + `
service "exact" {
  instance = instance.edge
  domains  = ["Shop.Example.com"]
  api "a" {
    path_prefix = "/in"
    backend {
      mock { body = "exact" }
    }
  }
}
service "beside" {
  instance = instance.edge
  domains  = ["shop.example.com"]
  api "a" {
    path = "/beside"
    backend {
      mock { body = "beside" }
    }
  }
}
service "wildcard" {
  instance = instance.edge
  domains  = ["*.example.com"]
  api "a" {
    backend {
      mock { body = "wildcard" }
    }
  }
}
service "longer" {
  instance = instance.edge
  domains  = ["*.eu.example.com"]
  api "a" {
    backend {
      mock { body = "longer" }
    }
  }
}
service "rest" {
  instance = instance.edge
  api "a" {
    path_prefix = "/in"
    backend {
      mock { body = "rest" }
    }
  }
}
`

// The most specific domain decides, and a path that it does not have is nobody's.
func TestDomains(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	runWeir(t, newDirectory(t, files{"gateway.hcl": fill(domainsText, "port", port)}))
	awaitAnswer(t, startBound, port, "/in", "exact")
	for _, c := range []struct{ host, path, body string }{
		{"shop.example.com", "/in/side", "exact"},
		{"SHOP.example.COM", "/in", "exact"},
		{fmt.Sprintf("shop.example.com:%d", port), "/in", "exact"},
		{"shop.example.com:1", "/in", "exact"},
		{"shop.example.com", "/beside", "beside"},
		{"shop.example.com", "/other", ""},
		{"a.example.com", "/in", "wildcard"},
		{"a.b.example.com", "/any/thing", "wildcard"},
		{"x.eu.example.com", "/in", "longer"},
		{"x.y.eu.example.com", "/", "longer"},
		{"eu.example.com", "/", "wildcard"},
		{"example.com", "/in", "rest"},
		{"example.com", "/", ""},
		{"192.0.2.1", "/in", "rest"},
	} {
		status := http.StatusOK
		if c.body == "" {
			status = http.StatusNotFound
		}
		if err := (request{port: port, host: c.host, path: c.path}).wants(status, c.body); err != nil {
			t.Error(err)
		}
	}
}

// pathsText has an API for each kind of path; all but the mocks reach a node.
const pathsText = edgeText + `
upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  node "<node>" {}
}
service "shop" {
  instance = instance.edge
  api "get_order" {
    methods = ["GET"]
    path    = "/orders/{id}"
    backend {
      upstream = upstream.orders
      path     = "/v1/orders/{id}"
    }
  }
  api "put_order" {
    methods = ["PUT", "DELETE"]
    path    = "/orders/{number}"
    backend {
      upstream = upstream.orders
      path     = "/v1/change/{number}"
    }
  }
  api "newest" {
    methods = ["GET"]
    path    = "/orders/newest"
    backend {
      upstream = upstream.orders
      path     = "/v1/newest"
    }
  }
  api "item" {
    path = "/orders/{id}/items/{item}"
    backend {
      upstream = upstream.orders
      path     = "/v1/{item}/of/{id}"
    }
  }
  api "unchanged" {
    path = "/users/{user}/"
    backend { upstream = upstream.orders }
  }
  api "files" {
    path_prefix = "/files/"
    backend {
      upstream = upstream.orders
      path     = "/store"
    }
  }
  api "root" {
    path_prefix = "/strip"
    backend {
      upstream = upstream.orders
      path     = "/"
    }
  }
  api "deep" {
    path_prefix = "/files/deep/er"
    backend { upstream = upstream.orders }
  }
  api "many" {
    path = "/m/a_resource_with_a_name_so_long_that_its_expression_is_large/{a}/{b}/{c}/{d}/{e}/{f}/{a_name_of_more_than_sixteen}"
    backend {
      upstream = upstream.orders
      path     = "/{a_name_of_more_than_sixteen}/{f}/{e}/{d}/{c}/{b}/{a}"
    }
  }
  api "fixed" {
    path = "/fixed"
    backend {
      mock {
        status = 418
        body   = "short and stout"
      }
    }
  }
  api "rest" {
    methods = ["GET"]
    backend {
      upstream = upstream.orders
      path     = "/rest"
    }
  }
}
`

func TestPathsMethodsAndRewrites(t *testing.T) {
	t.Parallel()
	n := newNode(t, "node")
	port := freePort(t)
	runWeir(t, newDirectory(t, files{"gateway.hcl": fill(pathsText, "port", port, "node", n.address)}))
	awaitAnswer(t, startBound, port, "/", n.name)
	for _, c := range []struct{ method, path, uri string }{
		{"GET", "/orders/7", "/v1/orders/7"},
		{"GET", "/orders/7?a=1&b=/orders/8", "/v1/orders/7?a=1&b=/orders/8"},
		{"GET", "/orders/a%20b", "/v1/orders/a%20b"},
		{"PUT", "/orders/7", "/v1/change/7"},
		{"DELETE", "/orders/newest", "/v1/change/newest"},
		{"GET", "/orders/newest", "/v1/newest"},
		{"GET", "/orders/newest?x", "/v1/newest?x"},
		{"POST", "/orders/7", ""},
		{"HEAD", "/orders/7", ""},
		{"POST", "/orders/7/items/8", "/v1/8/of/7"},
		{"POST", "/orders//items/8", ""},
		{"POST", "/users/u/", "/users/u/"},
		{"POST", "/users/u", ""},
		{"POST", "/files", "/store"},
		{"POST", "/files/", "/store/"},
		{"POST", "/files/a/b?q", "/store/a/b?q"},
		{"POST", "/files-old", ""},
		{"POST", "/strip", "/"},
		{"POST", "/strip/a", "/a"},
		{"POST", "/files/deep/er/still", "/files/deep/er/still"},
		{"POST", "/files/deep/erased", "/store/deep/erased"},
		{"POST", "/m/a_resource_with_a_name_so_long_that_its_expression_is_large/1/2/3/4/5/6/7", "/7/6/5/4/3/2/1"},
		{"GET", "/nowhere", "/rest/nowhere"},
		{"POST", "/nowhere", ""},
	} {
		before := n.count()
		got := ask(t, request{method: c.method, port: port, path: c.path})
		arrived := n.arrived()[before:]
		switch {
		case c.uri == "" && (got.status != http.StatusNotFound || len(arrived) != 0):
			t.Errorf("%s %s is answered %v and reaches %v, want 404", c.method, c.path, got, arrived)
		case c.uri != "" && (len(arrived) != 1 || arrived[0].URI != c.uri || arrived[0].Method != c.method):
			t.Errorf("%s %s is answered %v and arrives as %v, want %s", c.method, c.path, got, arrived, c.uri)
		}
	}
	if got := ask(t, request{method: "POST", port: port, path: "/fixed"}); got != (answer{http.StatusTeapot, "short and stout"}) {
		t.Errorf("the mock answers %v", got)
	}
}

// sharedText is a shared instance, and a dedicated one with two listeners.
const sharedText = edgeText + `
instance "public" {
  type = "shared"
  listener "http" {
    address = "127.0.0.1"
    port    = <public>
  }
}
service "public" {
  instance = instance.public
  api "mock" {
    path = "/mock"
    backend {
      mock { body = "mocked" }
    }
  }
  api "url" {
    path_prefix = "/out"
    backend {
      url  = "http://<server>"
      path = "/in"
    }
  }
}
instance "two" {
  vpc = vpc.main
  listener "first" {
    address = "127.0.0.1"
    port    = <first>
  }
  listener "second" {
    address = "127.0.0.1"
    port    = <second>
  }
}
service "both" {
  instance = instance.two
  api "both" {
    path = "/both"
    backend {
      mock { body = "both" }
    }
  }
}
service "one" {
  instance  = instance.two
  listeners = ["second"]
  api "one" {
    path = "/one"
    backend {
      mock { body = "one" }
    }
  }
}
service "edge" {
  instance = instance.edge
  api "edge" {
    backend {
      mock { body = "edge" }
    }
  }
}
`

// One weir, three instances: each answers only what is mounted on it, and a service only on its listeners.
func TestInstancesAndListeners(t *testing.T) {
	t.Parallel()
	server := newNode(t, "server")
	edge, public, first, second := freePort(t), freePort(t), freePort(t), freePort(t)
	text := fill(sharedText, "port", edge, "public", public, "first", first, "second", second, "server", server.address)
	runWeir(t, newDirectory(t, files{"gateway.hcl": text}))
	awaitAnswer(t, startBound, edge, "/", "edge")
	awaitAnswer(t, startBound, public, "/mock", "mocked")
	awaitAnswer(t, startBound, first, "/both", "both")
	awaitAnswer(t, startBound, second, "/both", "both")
	awaitAnswer(t, startBound, public, "/out/a?b=c", "server")
	if got, want := server.last(t), (seen{"GET", server.address, "/in/a?b=c"}); got != want {
		t.Errorf("the public server has seen %v, want %v", got, want)
	}
	must(t, request{port: second, path: "/one"}.wants(http.StatusOK, "one"))
	must(t, request{port: first, path: "/one"}.wants(http.StatusNotFound, ""))
	must(t, request{port: public, path: "/both"}.wants(http.StatusNotFound, ""))
}
