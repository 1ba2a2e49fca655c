vpc "main" {}

upstream "nothing" {
  vpc             = vpc.main
  protocol        = "http"
  panic_threshold = 0 # ERROR: Panic threshold without a health check
  node "a.test:80" {}
}

upstream "http" {
  vpc             = vpc.main
  protocol        = "http"
  panic_threshold = 101 # ERROR: Invalid number
  health_check {
    path                = "health"                                           # ERROR: Invalid path of a health check
    host                = "orders.test:0"                                    # ERROR: Invalid Host header
    service             = "orders"                                           # ERROR: Meaningless for this type of health check
    expected_statuses   = [200, "200-99", "200", "600", "2xx", "300-", "-1"] # ERROR: Invalid status # ERROR: Listed twice # ERROR: Invalid status # ERROR: Invalid status # ERROR: Invalid status # ERROR: Invalid status
    interval            = "0s"                                               # ERROR: Invalid duration
    timeout             = "9000h"                                            # ERROR: Invalid duration
    healthy_threshold   = 0                                                  # ERROR: Invalid number
    unhealthy_threshold = -1                                                 # ERROR: Invalid number
  }
  node "a.test:80" {}
}

upstream "path" {
  vpc      = vpc.main
  protocol = "http"
  health_check {
    path              = "/a b" # ERROR: Invalid path of a health check
    expected_statuses = []     # ERROR: Empty list
  }
  node "a.test:80" {}
}

upstream "tcp" {
  vpc      = vpc.main
  protocol = "http"
  health_check {
    type              = "tcp"
    path              = "/"           # ERROR: Meaningless for this type of health check
    host              = "orders.test" # ERROR: Meaningless for this type of health check
    expected_statuses = ["200"]       # ERROR: Meaningless for this type of health check
  }
  node "a.test:80" {}
}

upstream "grpc" {
  vpc      = vpc.main
  protocol = "http"
  health_check { # ERROR: gRPC health check over HTTP/1.1
    type = "grpc"
  }
  node "a.test:80" {}
}

upstream "unknown" {
  vpc      = vpc.main
  protocol = "grpc"
  retry {
    on = ["unavailable", "internal", "http3-post-connect-failure"] # ERROR: Unknown retry condition
  }
  health_check {
    type = "ping" # ERROR: Unknown value
    path = "/"
  }
  node "a.test:80" {}
}

upstream "conditions" {
  vpc      = vpc.main
  protocol = "https"
  retry {
    on = ["unavailable"] # ERROR: Retry condition of gRPC
  }
  outlier_detection { # ERROR: Outlier detection without a condition
    consecutive_5xx                  = 0
    consecutive_local_origin_failure = 0
  }
  node "a.test:80" {}
}

upstream "plain" {
  vpc      = vpc.main
  protocol = "grpc"
  tls { # ERROR: TLS settings of an upstream without TLS
    sni = "orders.test"
  }
  outlier_detection {
    consecutive_gateway_failure = -1 # ERROR: Invalid number
    base_ejection_time          = "1m"
    max_ejection_time           = "30s" # ERROR: Ejection that shrinks
    max_ejection_percent        = 0     # ERROR: Invalid number
  }
  node "a.test:80" {}
}

upstream "unnamed" {
  vpc      = vpc.main
  protocol = "grpcs"
  node "10.0.0.1:443" {} # WARNING: Certificates must carry the IP address
}
