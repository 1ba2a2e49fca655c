vpc "main" {}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  node "10.0.0.1:80" {}
}
upstream "calls" {
  vpc      = vpc.main
  protocol = "grpc"
  node "10.0.0.2:80" {}
}

service "headers" {
  instance = instance.edge
  request_headers { # ERROR: Nothing to change
  }
  response_headers {
    remove = ["X-Envoy-Upstream-Service-Time", "Connection"] # ERROR: Invalid header
    set    = { X-Weir-Route = "a" } # ERROR: Invalid header
  }
  api "names" {
    path = "/names"
    request_headers {
      set = {
        Host       = "a" # ERROR: Invalid header
        ":path"    = "a" # ERROR: Invalid header
        "a b"      = "a" # ERROR: Invalid header
        "x-envoy-" = "a" # ERROR: Invalid header
        te         = "a" # ERROR: Invalid header
        x-a        = "a"
        X-A        = "b" # ERROR: Header changed twice
        x-b        = "a\nb" # ERROR: Invalid value of a header
        x-c        = " a"   # ERROR: Invalid value of a header
        x-d        = ["a"]  # ERROR: "x-d" is text
        x-e        = null   # ERROR: null in an object
        x-f        = "a"
        x-f        = "b" # ERROR: Name listed twice
      }
      add    = "x-g" # ERROR: "add" is an object of texts
      remove = ["x-a"] # ERROR: Header changed twice
    }
    backend {
      upstream = upstream.orders
    }
  }
  api "mock" {
    path = "/mock"
    request_headers { # ERROR: Changes that nobody sees
      remove = ["x-a"]
    }
    cors { # ERROR: CORS without nodes
      allow_origins = ["*"]
    }
    backend {
      mock {
        headers = {
          content-length = 1 # ERROR: Invalid header
        }
      }
    }
  }
}

service "cors" {
  instance = instance.edge
  cors { # ERROR: Missing attribute "allow_origins"
  }
  api "origins" {
    path = "/origins"
    cors {
      allow_origins = [
        "shop.test",           # ERROR: Invalid origin
        "https://Shop.test",   # ERROR: Invalid origin
        "https://a.test/",     # ERROR: Invalid origin
        "https://b.test:443",  # ERROR: Invalid origin
        "ftp://c.test:21",     # ERROR: Invalid origin
        "https://*",           # ERROR: Invalid origin
        "https://a.*.test",    # ERROR: Invalid origin
        "https://*.[::1]",     # ERROR: Invalid origin
        "https://d.test",
        "https://d.test",      # ERROR: Listed twice
        "http://*.e.test:8080",
        "chrome-extension://abcdef",
      ]
      allow_methods = ["get"]  # ERROR: Unknown method
      allow_headers = ["a b"]  # ERROR: Invalid header
      max_age       = "1500ms" # ERROR: Invalid max_age
    }
    backend {
      upstream = upstream.orders
    }
  }
  api "everything" {
    path = "/everything"
    cors {
      allow_origins     = ["*"] # ERROR: Everything, with credentials
      allow_headers     = ["*"] # ERROR: Everything, with credentials
      allow_credentials = true
    }
    backend {
      upstream = upstream.orders
    }
  }
  api "beside" {
    path = "/beside"
    cors {
      allow_origins = ["*", "https://a.test"] # ERROR: Origins beside every origin
    }
    backend {
      upstream = upstream.orders
    }
  }
}

service "limits" {
  instance = instance.edge
  rate_limit {
    requests = 0       # ERROR: Invalid number of requests
    per      = "500ms" # ERROR: Invalid time
    burst    = 3000000000 # ERROR: Invalid number of requests
  }
  ip_rules { # ERROR: IP rules that say nothing
  }
  api "rules" {
    path = "/rules"
    ip_rules {
      allow = ["10.0.0.1/8", "10.0.0.1", "10.0.0.1/32", "localhost"] # ERROR: Invalid address # ERROR: Invalid address # ERROR: Listed twice
      deny  = [] # ERROR: Empty list
    }
    backend {
      upstream = upstream.orders
    }
  }
  api "twice" {
    path = "/twice"
    rate_limit { # ERROR: Missing attribute "requests"
    }
    rate_limit { # ERROR: A second rate_limit block
      requests = 1
    }
    backend {
      upstream = upstream.orders
    }
  }
}

service "websocket" {
  instance = instance.edge
  api "mock" {
    path      = "/ws/mock"
    websocket = true # ERROR: WebSocket without a server
    backend {
      mock {}
    }
  }
  api "post" {
    path      = "/ws/post"
    methods   = ["POST"]
    websocket = true # ERROR: WebSocket without GET
    backend {
      upstream = upstream.orders
    }
  }
  api "calls" {
    path      = "/ws/calls"
    websocket = true # ERROR: WebSocket over gRPC
    backend {
      upstream = upstream.calls
    }
  }
}
