# One path, several APIs: headers and query parameters decide, then the API that asks for nothing.

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
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9002" {}
}

upstream "preview" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9003" {}
}

service "shop" {
  instance = instance.edge

  # everybody else
  api "orders" {
    path_prefix = "/orders"

    backend {
      upstream = upstream.orders_v1
    }
  }

  # curl -H 'x-version: 2' .../orders
  api "orders_v2" {
    path_prefix = "/orders"

    header "x-version" {
      prefix = "2"
    }

    backend {
      upstream = upstream.orders_v2
    }
  }

  # .../orders?preview, unless the caller is a robot; two conditions go before one
  api "preview" {
    path_prefix = "/orders"

    query "preview" {
      present = true
    }
    header "user-agent" {
      regex  = "(?i).*bot.*"
      invert = true
    }

    backend {
      upstream = upstream.preview
    }
  }

  # A path of its own, so that nobody else's requests are for it. All conditions hold, or it is as if the API were not there:
  # .../export?format=csv&shop=shop-berlin&fields=id,total,tax&by=anna@example.com
  api "export" {
    path = "/export"

    header "x-partner" {
      exact = "acme"
    }
    header "accept" {
      contains = "text/csv"
    }
    header "origin" {
      suffix = ".acme.example"
    }
    header "x-debug" {
      present = false
    }
    query "format" {
      exact = "csv"
    }
    query "shop" {
      prefix = "shop-"
    }
    query "fields" {
      contains = "total"
    }
    query "by" {
      suffix = "@example.com"
    }

    backend {
      upstream = upstream.orders_v2
    }
  }
}
