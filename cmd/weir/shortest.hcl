vpc "main" {}

instance "edge" {
  vpc = vpc.main
  listener "http" { port = 8080 }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  node "127.0.0.1:9001" {}
  node "127.0.0.1:9002" {}
}

service "shop" {
  instance = instance.edge
  api "all" {
    backend { upstream = upstream.orders }
  }
}
