vpc "main" {}

upstream "words" {
  vpc      = vpc.main
  protocol = "http"
  retry {
    on              = ["5xx", "gateway_error", "5xx", "600", 503, "http3-post-connect-failure"] # ERROR: Unknown retry condition # ERROR: Listed twice # ERROR: Unknown retry condition # ERROR: Unknown retry condition
    per_try_timeout = "0s" # ERROR: Invalid duration
  }
  node "a.test:80" {}
}

upstream "off" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 3 # ERROR: Retries that are never made
  retry { on = [] }
  node "a.test:80" {}
}

upstream "shrinks" {
  vpc      = vpc.main
  protocol = "http"
  retry {
    back_off {
      base = "1s"
      max  = "100ms" # ERROR: Back-off that shrinks
    }
  }
  node "a.test:80" {}
}

upstream "least" {
  vpc      = vpc.main
  protocol = "http"
  retry {
    back_off {
      max = "4ms" # ERROR: Back-off that shrinks
    }
    budget {
      percent         = 101 # ERROR: Invalid number
      min_concurrency = 0   # ERROR: Invalid number
    }
  }
  node "a.test:80" {}
}

upstream "rare" {
  vpc      = vpc.main
  protocol = "http"
  node "a.test:80" { weight = 50000 }
  node "b.test:80" { weight = 50 } # WARNING: Weight too small for retries
  node "c.test:80" { weight = 2000 }
}

upstream "rare_enough" {
  vpc      = vpc.main
  protocol = "http"
  node "a.test:80" { weight = 50000 }
  node "b.test:80" { weight = 50 }
}

upstream "rare_hashed" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "maglev"
  hash_key { header = "x-user" }
  node "10.0.0.1:80" { weight = 300 }
  node "10.0.0.2:80" { weight = 1 } # WARNING: Weight too small for retries
}

upstream "rare_busy" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "least_request"
  node "10.0.0.1:80" { weight = 50 }
  node "10.0.0.2:80" { weight = 2 } # WARNING: Weight too small for retries
}

upstream "rare_without_retries" {
  vpc      = vpc.main
  protocol = "http"
  retry { on = [] }
  node "a.test:80" { weight = 65535 }
  node "b.test:80" { weight = 1 }
}

upstream "two_bounds" {
  vpc      = vpc.main
  protocol = "http"
  circuit_breaker {
    max_retries = 3
  }
  retry {
    budget { # ERROR: Both max_retries and a retry budget
      percent = 20
    }
  }
  node "a.test:80" {}
}

upstream "limits" {
  vpc                         = vpc.main
  protocol                    = "http"
  connect_timeout             = "0s"    # ERROR: Invalid duration
  idle_timeout                = "1us"   # ERROR: Invalid duration
  max_connection_duration     = "9000h" # ERROR: Invalid duration
  max_requests_per_connection = 0       # ERROR: Invalid number
  circuit_breaker {
    max_connections      = 0          # ERROR: Invalid number
    max_pending_requests = 2147483648 # ERROR: Invalid number
    max_requests         = -1         # ERROR: Invalid number
  }
  tcp_keepalive {
    time     = "500ms"  # ERROR: Invalid duration
    interval = "32768s" # ERROR: Invalid duration
    probes   = 128      # ERROR: Invalid number
  }
  http2_keepalive { # ERROR: Pings of HTTP/2 over HTTP/1.1 # ERROR: Missing attribute "interval"
    timeout = "0s" # ERROR: Invalid duration
  }
  node "a.test:80" {}
}

upstream "pings" {
  vpc      = vpc.main
  protocol = "grpc"
  http2_keepalive {
    interval = "0s" # ERROR: Invalid duration
  }
  node "a.test:80" {}
}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
}

upstream "slow" {
  vpc      = vpc.main
  protocol = "http"
  retry {
    back_off { base = "20s" }
  }
  node "a.test:80" {}
}

upstream "tries" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 3
  retry { per_try_timeout = "3s" }
  node "a.test:80" {}
}

upstream "none" {
  vpc      = vpc.main
  protocol = "http"
  retry {
    on              = []
    per_try_timeout = "20s"
  }
  node "a.test:80" {}
}

service "shop" {
  instance = instance.edge
  api "slow" {
    path = "/slow"
    backend { # WARNING: Retries that do not fit the timeout
      upstream = upstream.slow
    }
  }
  api "tries" {
    path = "/tries"
    backend {
      upstream = upstream.tries
      timeout  = "12s" # WARNING: Retries that do not fit the timeout
    }
  }
  api "fits" {
    path = "/fits"
    backend { upstream = upstream.tries }
  }
  api "split" {
    path = "/split"
    backend {
      split {
        target { upstream = upstream.tries }
        target { upstream = upstream.none } # ERROR: Split over different per_try_timeouts
      }
      timeout = "0s"
    }
  }
  api "none" {
    path = "/none"
    backend { upstream = upstream.none }
  }
}
