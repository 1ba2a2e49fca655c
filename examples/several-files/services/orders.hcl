upstream "orders" {
  vpc         = vpc.main
  description = "Order service"
  protocol    = "http"

  node "127.0.0.1:9001" {}
  node "127.0.0.1:9002" {}
}

service "orders" {
  instance = instance.edge

  api "orders" {
    path_prefix = "/orders"

    backend {
      upstream = upstream.orders
    }
  }
}
