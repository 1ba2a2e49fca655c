# What happens after a failed attempt.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

# Payments: only where no node can have read the request, whatever the method.
upstream "payments" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 1

  retry {
    on = ["connect-failure", "refused-stream", "reset-before-request"]
  }

  node "10.0.1.10:8080" {}
  node "10.0.1.11:8080" {}
}

# Search: any failure, and an answer that takes long, is another node's chance.
upstream "search" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 3

  retry {
    on              = ["5xx", "reset", "connect-failure", "429"]
    per_try_timeout = "1s"

    back_off {
      base = "10ms"
      max  = "100ms"
    }
    budget { # retries are at most a fifth of the requests, but 50 may always be under way
      percent         = 20
      min_concurrency = 50
    }
  }

  node "10.0.2.10:8080" {}
  node "10.0.2.11:8080" {}
}

# Uploads: never.
upstream "uploads" {
  vpc      = vpc.main
  protocol = "http"

  retry {
    on = []
  }

  node "10.0.3.10:8080" {}
}

service "shop" {
  instance = instance.edge

  api "payments" {
    path_prefix = "/payments"

    backend {
      upstream = upstream.payments
    }
  }

  api "search" {
    path_prefix = "/search"

    backend {
      upstream = upstream.search
      timeout  = "5s" # four attempts of a second and their pauses fit
    }
  }

  api "uploads" {
    path_prefix = "/uploads"

    backend {
      upstream = upstream.uploads
      timeout  = "0s"
    }
  }
}
