# HTTPS for callers, with a certificate per domain: the name that the caller asks for (SNI) chooses.
#
# This example reads tls/shop.crt, tls/shop.key, tls/api.crt and tls/api.key beside it. They are watched: a
# renewed certificate is live as soon as both of its files are in place. To try it, make some:
#
#   mkdir -p tls && for name in shop api; do
#     openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=$name.example.com \
#       -addext subjectAltName=DNS:$name.example.com -keyout tls/$name.key -out tls/$name.crt
#   done

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "https" {
    port = 8443

    tls { # the first is also for callers that name no server
      certificate_file = "tls/shop.crt"
      private_key_file = "tls/shop.key"
    }
    tls {
      certificate_file = "tls/api.crt"
      private_key_file = "tls/api.key"
    }
  }

  listener "http" {
    port = 8080
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9001" {}
}

service "shop" {
  instance  = instance.edge
  domains   = ["shop.example.com", "api.example.com"]
  listeners = ["https"] # not on the plain port

  api "all" {
    backend {
      upstream = upstream.orders
    }
  }
}

service "health" {
  instance  = instance.edge
  listeners = ["http"]

  api "ping" {
    path = "/ping"

    backend {
      mock {
        body = "pong"
      }
    }
  }
}
