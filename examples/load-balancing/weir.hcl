# Other ways to choose a node than by weights alone.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

# The node with less to do; a new one warms up for half a minute.
upstream "reports" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "least_request"

  slow_start {
    window             = "30s"
    min_weight_percent = 5 # of its weight, at first
  }

  node "10.0.1.10:8080" {}
  node "10.0.1.11:8080" {}
}

# One node per customer, who is named by a header.
upstream "carts" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "maglev"

  hash_key {
    header = "X-Customer"
  }

  node "10.0.2.10:8080" {}
  node "10.0.2.11:8080" {}
}

# One node per browser, which is given a cookie.
upstream "sessions" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "ring_hash"

  hash_key {
    cookie = "node"
    ttl    = "1h"
  }

  node "10.0.3.10:8080" {}
  node "10.0.3.11:8080" {}
}

# One node per address of a caller.
upstream "uploads" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "maglev"

  hash_key {
    source_address = true
  }

  node "10.0.4.10:8080" {}
  node "10.0.4.11:8080" {}
}

service "shop" {
  instance = instance.edge

  api "reports" {
    path_prefix = "/reports"

    backend {
      upstream = upstream.reports
    }
  }

  api "carts" {
    path_prefix = "/carts"

    backend {
      upstream = upstream.carts
    }
  }

  api "uploads" {
    path_prefix = "/uploads"

    backend {
      upstream = upstream.uploads
    }
  }

  api "sessions" {
    path_prefix = "/sessions"

    backend {
      upstream = upstream.sessions
    }
  }
}
