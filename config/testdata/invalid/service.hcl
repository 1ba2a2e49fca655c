vpc "main" {}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
  listener "https" {
    port = 8081
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  node "10.0.0.1:80" {}
}

service "domains" {
  instance = instance.edge
  domains = [
    "shop.test",
    "Shop.Test",          # ERROR: Listed twice
    "shop.test:8080",     # ERROR: Invalid domain
    "https://shop.test",  # ERROR: Invalid domain
    "shop.test/orders",   # ERROR: Invalid domain
    "*",                  # ERROR: Invalid domain
    "*.shop.test",
    "*shop.test",         # ERROR: Invalid domain
    "a.*.shop.test",      # ERROR: Invalid domain
    "*.*.shop.test",      # ERROR: Invalid domain
    "*.10.0.0.1",         # ERROR: Invalid domain
    "shop..test",         # ERROR: Invalid domain
    "shop.test.",         # ERROR: Invalid domain
    "shöp.test",          # ERROR: Invalid domain
    "",                   # ERROR: Invalid domain
    "10.0.0.1",
    "::1",
    "[::1]",              # ERROR: Listed twice
    "[::2]:80",           # ERROR: Invalid domain
  ]
}

service "none" {
  instance  = instance.edge
  domains   = [] # ERROR: Empty list
  listeners = [] # ERROR: Empty list
}

service "listeners" {
  instance = instance.edge
  listeners = [
    "http",
    "htp",  # ERROR: Unknown listener
    "grpc", # ERROR: Unknown listener
    "http", # ERROR: Listed twice
  ]
}

service "methods" {
  instance = instance.edge

  api "all" {
    methods = [] # ERROR: Empty list
    backend {
      upstream = upstream.orders
    }
  }
  api "words" {
    methods = [
      "GET",
      "get",      # ERROR: Unknown method
      "DELET",    # ERROR: Unknown method
      "ANY",      # ERROR: Unknown method
      "*",        # ERROR: Unknown method
      "CONNECT",  # ERROR: Unknown method
      "GET",      # ERROR: Listed twice
      "PROPFIND",
    ]
    backend {
      upstream = upstream.orders
    }
  }
}
