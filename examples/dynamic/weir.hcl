# Blocks made by the dozen: dynamic works inside blocks, as in Terraform.

locals {
  orders = {
    "10.8.1.10" = 50
    "10.8.1.11" = 30
    "10.8.1.12" = 20
  }
  pages = ["about", "imprint", "privacy"]
}

vpc "main" {
  cidr_blocks = ["10.8.0.0/16"]
}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"

  dynamic "node" {
    for_each = local.orders
    labels   = ["${node.key}:8080"]

    content {
      weight = node.value
    }
  }
}

# a whole subnet: 10.8.2.10 to 10.8.2.29
upstream "workers" {
  vpc      = vpc.main
  protocol = "http"

  dynamic "node" {
    for_each = range(20)
    labels   = ["${cidrhost("10.8.2.0/24", 10 + node.value)}:8080"]

    content {}
  }
}

service "site" {
  instance = instance.edge

  dynamic "api" {
    for_each = local.pages
    iterator = page
    labels   = [page.value]

    content {
      path = "/${page.value}"

      backend {
        upstream = upstream.workers
        path     = "/pages/${page.value}.html"
      }
    }
  }

  api "orders" {
    path_prefix = "/orders"

    backend {
      upstream = upstream.orders
    }
  }
}
