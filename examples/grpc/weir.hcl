# Nodes that speak gRPC. Callers reach them on any listener, with HTTP/2.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "grpc" # grpcs: over TLS

  retry { # also what a node refuses because it is about to stop
    on = ["connect-failure", "refused-stream", "reset-before-request", "unavailable"]
  }

  # grpc.health.v1.Health/Check
  health_check {
    service  = "orders" # absent: the server as a whole
    interval = "2s"
    timeout  = "1s"
  }

  # A node that vanishes without a word is noticed, and the streams on it end. gRPC servers refuse pings that come more
  # often than every 5 minutes unless they are told otherwise.
  http2_keepalive {
    interval = "5m"
    timeout  = "10s"
  }

  node "10.0.1.10:9000" {}
  node "10.0.1.11:9000" {}
}

service "orders" {
  instance = instance.edge
  domains  = ["orders.example.com"]

  api "all" {
    backend {
      upstream = upstream.orders
      timeout  = "0s" # streams may be long; callers have deadlines of their own
    }
  }
}
