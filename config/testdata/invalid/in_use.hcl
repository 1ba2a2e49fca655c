vpc "main" {}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
}

upstream "order" {
  vpc      = vpc.main
  protocol = "http"
  node "10.0.0.1:80" {}
}

locals {
  through = upstream.lost # ERROR: No upstream named "lost"
}

service "shop" {
  instance = instance.edge

  api "get" {
    path = "/get"
    backend {
      upstream = upstream.orders # ERROR: There is no upstream "orders"
    }
  }
  api "put" {
    path = "/put"
    backend {
      upstream = true ? upstream.order : upstream["orders"] # ERROR: There is no upstream "orders"
    }
  }
  api "fine" {
    path = "/fine"
    backend {
      upstream = upstream.order
    }
  }
  api "local" {
    path = "/local"
    backend {
      upstream = local.through
    }
  }
}

service "nowhere" {
  instance = instance.edg # ERROR: No instance named "edg"

  api "get" {
    backend {
      upstream = upstream.orders # ERROR: There is no upstream "orders"
    }
  }
}
