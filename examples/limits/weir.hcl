# A node that bears little: how many connections and requests it gets, and how long they are kept.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

upstream "reports" {
  vpc      = vpc.main
  protocol = "http"

  connect_timeout             = "500ms"
  idle_timeout                = "30s" # the node keeps them for a minute
  max_connection_duration     = "1h"
  max_requests_per_connection = 1000

  circuit_breaker { # beyond these the answer is 503 at once, per Envoy
    max_connections      = 20
    max_pending_requests = 10
    max_requests         = 20
    max_retries          = 3
  }

  tcp_keepalive {
    time     = "60s"
    interval = "10s"
    probes   = 3
  }

  node "10.0.1.10:8080" {}
}

service "reports" {
  instance = instance.edge

  api "all" {
    backend {
      upstream = upstream.reports
    }
  }
}
