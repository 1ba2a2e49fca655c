# Domains, paths and methods: which API takes a request, and what its nodes then see.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9001" {}
}

upstream "reports" {
  vpc         = vpc.main
  protocol    = "http"
  host_header = "reports.internal"

  node "127.0.0.1:9002" {}
}

service "shop" {
  instance = instance.edge
  domains  = ["shop.example.com", "*.shop.example.com"]

  # GET /orders/7 reaches the nodes as /v1/orders/7
  api "get_order" {
    methods = ["GET", "HEAD"]
    path    = "/orders/{id}"

    backend {
      upstream = upstream.orders
      path     = "/v1/orders/{id}"
      timeout  = "3s"
    }
  }

  # a literal segment goes before a variable, wherever it stands in the file
  api "new_order_form" {
    methods = ["GET"]
    path    = "/orders/new"

    backend {
      mock {
        status = 200
        body   = "<form></form>"
      }
    }
  }

  # /reports, /reports/ and /reports/2026/may reach the nodes below /internal; /reports-old does not
  api "reports" {
    path_prefix = "/reports"

    backend {
      upstream = upstream.reports
      path     = "/internal"
      timeout  = "0s" # none: reports take their time
    }
  }
}

# Without domains: every host that no other service's domain fits better.
service "fallback" {
  instance = instance.edge

  api "gone" {
    backend {
      mock {
        status = 410
        body   = "There is nothing here."
      }
    }
  }
}
