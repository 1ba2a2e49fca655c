# Nodes that speak HTTPS. Their certificates are always verified.
#
# This example reads ca.crt beside it: the PEM file of the CA that signed the nodes' certificates. Without the
# tls block the CAs of the system that Envoy runs on are used. To look at it without a CA of your own, make one:
#
#   openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ca -keyout ca.key -out ca.crt

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

upstream "orders" {
  vpc         = vpc.main
  protocol    = "https"
  host_header = "orders.internal:8443" # sent to the nodes; its name is what their certificates must carry
  retries     = 2

  tls {
    ca_file = "ca.crt"
  }

  node "10.8.1.10:8443" {}
  node "10.8.1.11:8443" {}
}

# No host_header and no tls.sni: each node's own name is sent as SNI and checked.
upstream "search" {
  vpc      = vpc.main
  protocol = "https"

  node "search-1.internal:8443" {}
  node "search-2.internal:8443" {}
}

# Nodes that are IPs, with one certificate for all of them; the caller's Host goes on.
upstream "payments" {
  vpc      = vpc.main
  protocol = "https"

  tls {
    ca_file = "ca.crt"
    sni     = "payments.internal"
  }

  node "10.8.2.10:8443" {}
}

service "shop" {
  instance = instance.edge

  api "orders" {
    path_prefix = "/orders"

    backend {
      upstream = upstream.orders
    }
  }

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
    }
  }
}
