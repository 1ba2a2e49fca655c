# A new version gets a tenth of the requests, and the one after it gets copies of all, which no caller notices.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

upstream "orders_v1" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9001" {}
}

upstream "orders_v2" {
  vpc         = vpc.main
  protocol    = "http"
  host_header = "v2.orders.internal" # each upstream keeps its own Host header and retries
  retries     = 1

  node "127.0.0.1:9002" {}
}

upstream "orders_v3" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9003" {}
}

service "shop" {
  instance = instance.edge

  api "orders" {
    path_prefix = "/orders"

    backend {
      split {
        target {
          upstream = upstream.orders_v1
          weight   = 90
        }
        target {
          upstream = upstream.orders_v2
          weight   = 10 # 0 takes it out, without a change to its cluster
        }
      }

      mirror {
        upstream = upstream.orders_v3
        percent  = 100
      }
    }
  }
}
