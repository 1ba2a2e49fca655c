vpc "main" {}

upstream "keyless" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "ring_hash" # ERROR: Hashing without a key
  node "10.0.0.1:80" {}
}

upstream "unused" {
  vpc      = vpc.main
  protocol = "http"
  hash_key { # ERROR: Hash key that is not used
    header = "x-user"
  }
  node "10.0.0.1:80" {}
}

upstream "two_keys" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "maglev"
  hash_key {          # ERROR: Not one hash key
    header = "x user" # ERROR: Invalid name of a header
    cookie = ""       # ERROR: Invalid name of a cookie
  }
  node "10.0.0.1:80" {}
}

upstream "no_key" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "maglev"
  hash_key { # ERROR: Not one hash key
    source_address = false
    ttl            = "1h" # ERROR: Lifetime without a cookie
  }
  slow_start {                # ERROR: Slow start that is not used
    window             = "0s" # ERROR: Invalid duration
    min_weight_percent = 0    # ERROR: Invalid number
  }
  node "10.0.0.1:80" {}
}

upstream "random" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "random"
  node "10.0.0.1:80" { weight = 0 }
  node "10.0.0.2:80" { weight = 2 }
  node "10.0.0.3:80" { weight = 3 } # ERROR: Weights that are not used
}

upstream "names" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "least_request"
  slow_start { window = "1m" }
  node "10.0.0.1:80" {}
  node "a.test:80" {} # WARNING: A share for each address of a name
  node "b.test:80" {}
}

upstream "slow_names" {
  vpc      = vpc.main
  protocol = "http"
  slow_start { # ERROR: Slow start of names
    window = "1m"
  }
  node "a.test:80" {}
}

upstream "users" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "maglev"
  hash_key { header = "X-User" }
  node "10.0.0.1:80" {}
}

upstream "same" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "ring_hash"
  hash_key { header = "x-user" }
  node "10.0.0.1:80" {}
}

upstream "callers" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "ring_hash"
  hash_key { source_address = true }
  node "10.0.0.1:80" {}
}

upstream "cookies" {
  vpc            = vpc.main
  protocol       = "http"
  load_balancing = "ring_hash"
  hash_key { cookie = "user" }
  node "10.0.0.1:80" {}
}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
}

service "shop" {
  instance = instance.edge
  api "other" {
    path = "/other"
    backend {
      split {
        target { upstream = upstream.users }
        target { upstream = upstream.cookies }
        target { upstream = upstream.callers }
      }
      mirror { upstream = upstream.same }
    }
  }
  api "copies" {
    path = "/copies"
    backend {
      upstream = upstream.users
      mirror { upstream = upstream.callers } # WARNING: Copies without the caller's address
      mirror { upstream = upstream.cookies }
    }
  }
}
