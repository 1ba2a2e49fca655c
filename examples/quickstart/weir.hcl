# The whole gateway, as `make run` starts it. Change something, save, and call again: each save is live at once, or is
# refused with a message that points at the line.

# A private network. Nodes and gateways live in one.
vpc "main" {}

# A gateway: one or more Envoys that listen here.
instance "edge" {
  vpc = vpc.main

  listener "http" {
    address = "127.0.0.1" # leave it out to listen on every address
    port    = 8080
  }
}

# Nodes that do the same work.
upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 5 # further attempts, on another node while there is one: 1 to 100

  # host_header = "orders.internal" # take the first # away, and nodes see this Host instead of the caller's

  node "127.0.0.1:9001" { weight = 50 } # of 100 requests 50 go here; 0 switches a node off
  node "127.0.0.1:9002" { weight = 30 }
  node "127.0.0.1:9003" { weight = 20 }
}

# What callers may ask for, and who answers.
service "shop" {
  instance = instance.edge

  api "orders" {
    path_prefix = "/orders"
    backend {
      upstream = upstream.orders
      path     = "/v1/orders" # /orders/7 becomes /v1/orders/7 on its way; leave it out to pass paths on unchanged
    }
  }

  api "ping" {
    path = "/ping"
    backend {
      mock {
        body = "pong\n" # the gateway answers by itself
      }
    }
  }
}
