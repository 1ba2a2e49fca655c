# http is sent to https. The redirect is a service of its own, on the plain listener only.
#
# This example reads tls/shop.crt and tls/shop.key beside it; examples/tls-listener says how to make them.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }

  listener "https" {
    port = 8443

    tls {
      certificate_file = "tls/shop.crt"
      private_key_file = "tls/shop.key"
    }
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9001" {}
}

service "to_https" {
  instance  = instance.edge
  listeners = ["http"]

  api "all" {
    backend {
      redirect {
        scheme = "https"
        port   = 8443 # leave it out where callers reach https at 443
        status = 308
      }
    }
  }
}

service "shop" {
  instance  = instance.edge
  listeners = ["https"]

  api "orders" {
    path_prefix = "/orders"

    backend {
      upstream = upstream.orders
    }
  }

  # where the orders were before
  api "moved" {
    path = "/shop/orders/{id}"

    backend {
      redirect {
        path = "/orders/{id}"
      }
    }
  }

  # what went to another host, where nobody knows the old parameters
  api "help" {
    path_prefix = "/help"

    backend {
      redirect {
        host        = "help.example.com"
        path_prefix = "/shop"
        strip_query = true
        status      = 302
      }
    }
  }
}
