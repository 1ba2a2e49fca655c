vpc "main" {}

upstream "values" {
  vpc            = vpc.main
  protocol       = "htps"                # ERROR: Unknown value
  load_balancing = "round_robin"         # ERROR: Unknown value
  host_header    = "https://orders.test" # ERROR: Invalid Host header
  retries        = 0                     # ERROR: Invalid number of retries
  node "a.test:80" {}
}

upstream "retries" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 101 # ERROR: Invalid number of retries
  node "a.test:80" {}
}

upstream "host_space" {
  vpc         = vpc.main
  protocol    = "http"
  host_header = "orders test" # ERROR: Invalid Host header
  node "a.test:80" {}
}

upstream "host_path" {
  vpc         = vpc.main
  protocol    = "http"
  host_header = "orders.test/v1" # ERROR: Invalid Host header
  node "a.test:80" {}
}

upstream "host_port" {
  vpc         = vpc.main
  protocol    = "http"
  host_header = "orders.test:0" # ERROR: Invalid Host header
  node "a.test:80" {}
}

upstream "host_empty" {
  vpc         = vpc.main
  protocol    = "http"
  host_header = "" # ERROR: Invalid Host header
  node "a.test:80" {}
}

upstream "plain_tls" {
  vpc      = vpc.main
  protocol = "http"
  tls { # ERROR: TLS settings of an upstream without TLS
    sni = "orders.test"
  }
  node "a.test:80" {}
}

upstream "tls" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    ca_file = "tls/missing.crt" # ERROR: File that cannot be read
    sni     = "orders.test:443" # ERROR: Invalid server name
  }
  node "a.test:443" {}
}

upstream "old_ca" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    ca_file = "tls/expired.crt" # WARNING: CA file that is out of date
  }
  node "a.test:443" {}
}

upstream "no_ca" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    ca_file = "tls/text.pem" # ERROR: Unusable CA file
    sni     = "*.orders.test" # ERROR: Invalid server name
  }
  node "a.test:443" {}
}

upstream "unused_ca" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    ca_file              = "tls/ca.crt" # WARNING: CA file that is not used
    insecure_skip_verify = true         # WARNING: Certificates of the nodes are not checked
  }
  node "10.0.0.1:443" {}
}

upstream "unnamed" {
  vpc      = vpc.main
  protocol = "https"
  node "a.test:443" {}
  node "10.0.0.1:443" {} # WARNING: Certificates must carry the IP address
  node "10.0.0.2:443" {}
}

upstream "misread" { # its nodes are not missed as well
  vpc      = vpc.main
  protocol = "http"
  dynamic "node" {
    for_each = ["10.0.0.1:80"]
    iterator = vpc # ERROR: Iterator named "vpc"
    labels   = [vpc.value]
    content {}
  }
}

upstream "nodeless" { # ERROR: Missing block "node"
  vpc      = vpc.main
  protocol = "http"
}
