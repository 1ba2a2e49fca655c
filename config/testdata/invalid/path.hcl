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
  node "10.0.0.1:80" {}
}

service "paths" {
  instance = instance.edge

  api "bad_0" {
    path = "orders" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_1" {
    path = "" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_2" {
    path = "https://shop.test/orders" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_3" {
    path = "/orders?id=1" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_4" {
    path = "/orders#top" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_5" {
    path = "/orders/{id}.json" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_6" {
    path = "/orders/{}" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_7" {
    path = "/orders/{1d}" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_8" {
    path = "/orders/{order-id}" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_9" {
    path = "/orders/{id" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_10" {
    path = "/orders/id}" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_11" {
    path = "/orders/{{id}}" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_12" {
    path = "/{id}/orders/{id}" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_13" {
    path = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_14" {
    path = "/orders/../items" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_15" {
    path = "/./orders" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_16" {
    path = "/orders//items" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_17" {
    path = "/orders//" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_18" {
    path = "/%6Frders" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_19" {
    path = "/orders/%2E%2E/x" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_20" {
    path = "/%7euser" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_21" {
    path = "/100%" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_22" {
    path = "/%zz" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_23" {
    path = "/bestellungen/größe" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_24" {
    path = "/two words" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_25" {
    path = "/a|b" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_26" {
    path = "/a[0]" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_27" {
    path_prefix = "orders" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_28" {
    path_prefix = "" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_29" {
    path_prefix = "/orders/{id}" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_30" {
    path_prefix = "/orders/*" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "bad_31" {
    path_prefix = "/a//b" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }

  api "zero" {
    path = "/a%00b" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }
  api "both" {
    path        = "/both"
    path_prefix = "/both" # ERROR: Both path and path_prefix
    backend {
      upstream = upstream.orders
    }
  }
  api "lower" {
    path = "/gr%c3%b6%c3%9fe" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }
  api "lower_prefix" {
    path_prefix = "/gr%C3%B6%C3%9fe" # ERROR: Invalid path
    backend {
      upstream = upstream.orders
    }
  }
  api "nothing" {
    path = "/nothing"
    backend {
      upstream = upstream.orders
      path     = "" # ERROR: Invalid backend path
    }
  }
  api "star" {
    path = "/star/*" # WARNING: A * that matches only a *
    backend {
      upstream = upstream.orders
    }
  }
  api "colon" {
    path = "/colon/:id" # WARNING: A : that matches only a :
    backend {
      upstream = upstream.orders
    }
  }
}

service "replacements" {
  instance = instance.edge

  api "undeclared" {
    path = "/1/{id}"
    backend {
      upstream = upstream.orders
      path     = "/v1/{ids}" # ERROR: Invalid backend path
    }
  }
  api "exact" {
    path = "/2"
    backend {
      upstream = upstream.orders
      path     = "/v1/{id}" # ERROR: Invalid backend path
    }
  }
  api "prefix" {
    path_prefix = "/3"
    backend {
      upstream = upstream.orders
      path     = "/v1/{id}" # ERROR: Invalid backend path
    }
  }
  api "relative" {
    path = "/4"
    backend {
      upstream = upstream.orders
      path     = "v1" # ERROR: Invalid backend path
    }
  }
  api "query" {
    path = "/5"
    backend {
      upstream = upstream.orders
      path     = "/v1?a=b" # ERROR: Invalid backend path
    }
  }
  api "dots" {
    path = "/6"
    backend {
      upstream = upstream.orders
      path     = "/v1/../v2" # ERROR: Invalid backend path
    }
  }
  api "fewer" {
    path = "/7/{a}/{b}"
    backend {
      upstream = upstream.orders
      path     = "/v1/{b}"
    }
  }
}
