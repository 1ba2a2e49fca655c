# Nodes that are ill get no request: because they say so when they are asked, or because of what they answer.

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

  health_check { # each Envoy asks each node
    path                = "/health"
    expected_statuses   = ["200", "204"]
    interval            = "1s"
    timeout             = "500ms"
    healthy_threshold   = 1
    unhealthy_threshold = 2
  }

  node "10.0.1.10:8080" {}
  node "10.0.1.11:8080" {}
}

upstream "search" {
  vpc             = vpc.main
  protocol        = "http"
  panic_threshold = 30 # with less than 30 % of the nodes left, all are asked again

  outlier_detection {
    consecutive_5xx    = 3
    base_ejection_time = "10s"
  }

  node "10.0.2.10:8080" {}
  node "10.0.2.11:8080" {}
}

service "shop" {
  instance = instance.edge

  api "orders" {
    path_prefix = "/orders"

    backend {
      upstream = upstream.orders
    }
  }

  api "search" {
    path_prefix = "/search"

    backend {
      upstream = upstream.search
    }
  }
}
