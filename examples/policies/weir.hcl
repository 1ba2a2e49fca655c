# What a service says for all of its APIs, and what an API says for itself: header changes, CORS, limits, callers, WebSocket.

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

  node "127.0.0.1:9001" {}
}

upstream "chat" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9002" {}
}

service "shop" {
  instance = instance.edge

  # nodes learn who sent the request to them, and callers do not learn what the nodes run on
  request_headers {
    set    = { x-gateway = "weir" }
    add    = { x-tag = "shop" }
    remove = ["x-internal-user"]
  }
  response_headers {
    set    = { strict-transport-security = "max-age=31536000" }
    add    = { link = "<https://docs.example.com>; rel=help" } # beside the nodes' own
    remove = ["server", "x-powered-by"]
  }

  # pages of these origins may call the APIs from a browser
  cors {
    allow_origins = ["https://shop.example.com", "https://*.shop.example.com"]
    allow_headers = ["content-type", "authorization"]
    max_age       = "1h"
  }

  api "orders" {
    methods     = ["GET", "POST"]
    path_prefix = "/orders"

    backend {
      upstream = upstream.orders
    }
  }

  # at most 5 at once, then one every 12 s, on each Envoy; the answer to more is 429 with retry-after
  api "login" {
    methods = ["POST"]
    path    = "/login"

    rate_limit {
      requests = 5
      per      = "1m"
      burst    = 5 # the default is as many as requests
    }

    # in place of the service's: one origin, which sends cookies along, and whose pages may read when to try again
    cors {
      allow_origins     = ["https://login.example.com"]
      allow_methods     = ["POST"]
      allow_headers     = ["content-type"]
      allow_credentials = true
      expose_headers    = ["retry-after"]
    }

    backend {
      upstream = upstream.orders
    }
  }

  # for callers out of these networks; the answer to others is 403
  api "admin" {
    path_prefix = "/admin"

    ip_rules {
      allow = ["10.0.0.0/8", "192.168.0.0/16"]
      deny  = ["10.0.0.1"]
    }

    backend {
      upstream = upstream.orders
    }
  }

  api "chat" {
    path      = "/chat"
    websocket = true

    backend {
      upstream = upstream.chat
    }
  }

  api "version" {
    path = "/version"

    backend {
      mock {
        body    = jsonencode({ version = "1.4.2" })
        headers = { content-type = "application/json" }
      }
    }
  }
}
