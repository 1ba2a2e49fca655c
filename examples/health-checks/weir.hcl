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

  # each Envoy asks each node
  health_check {
    type                = "http" # the default; "tcp" only connects
    path                = "/health"
    host                = "orders.internal" # absent: the node's own address
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
    consecutive_5xx                  = 3
    consecutive_gateway_failure      = 2 # 502, 503 and 504 count here, too
    consecutive_local_origin_failure = 3 # connections that fail, and timeouts
    interval                         = "1s"
    base_ejection_time               = "10s"
    max_ejection_time                = "1m"
    max_ejection_percent             = 50 # one of these two
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
