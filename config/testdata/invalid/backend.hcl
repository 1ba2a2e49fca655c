vpc "main" {
  cidr_blocks = ["10.0.0.0/16"]
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
  node "10.0.0.1:80" {}
}

service "targets" {
  instance = instance.edge

  api "none" {
    path = "/none"
    backend { # ERROR: Backend without a target
    }
  }
  api "two" {
    path = "/two"
    backend {
      upstream = upstream.orders
      url      = "https://api.test" # ERROR: Backend with more than one target
      timeout  = "1ns"              # ERROR: Invalid timeout
      path     = "v1"               # ERROR: Invalid backend path
    }
  }
  api "three" {
    path = "/three"
    backend {
      upstream = upstream.orders
      url      = "https://api.test"
      mock { # ERROR: Backend with more than one target
      }
    }
  }
  api "mock" {
    path = "/mock"
    backend {
      path    = "/v1"  # ERROR: Meaningless with a mock
      timeout = "10s"  # ERROR: Meaningless with a mock
      mock {
        status = 199 # ERROR: Invalid status
      }
    }
  }
  api "large" {
    path = "/large"
    backend {
      mock {
        status = 600 # ERROR: Invalid status
      }
    }
  }
  api "empty" {
    path = "/empty"
    backend {
      mock {
        status = 204
        body   = "nothing" # ERROR: Body of an answer without one
      }
    }
  }
  api "short" {
    path = "/short"
    backend {
      upstream = upstream.orders
      timeout  = "999us" # ERROR: Invalid timeout
    }
  }
  api "long" {
    path = "/long"
    backend {
      upstream = upstream.orders
      timeout  = "9000h" # ERROR: Invalid timeout
    }
  }
  api "never" {
    path = "/never"
    backend {
      upstream = upstream.orders
      timeout  = "0s"
    }
  }
}

service "urls" {
  instance = instance.edge

  api "scheme" {
    path = "/1"
    backend {
      url = "api.test" # ERROR: Invalid URL
    }
  }
  api "ftp" {
    path = "/2"
    backend {
      url = "ftp://api.test" # ERROR: Invalid URL
    }
  }
  api "path" {
    path = "/3"
    backend {
      url = "https://api.test/v1" # ERROR: Invalid URL
    }
  }
  api "slash" {
    path = "/4"
    backend {
      url = "https://api.test/" # ERROR: Invalid URL
    }
  }
  api "query" {
    path = "/5"
    backend {
      url = "https://api.test?a=b" # ERROR: Invalid URL
    }
  }
  api "user" {
    path = "/6"
    backend {
      url = "https://me:secret@api.test" # ERROR: Invalid URL
    }
  }
  api "host" {
    path = "/7"
    backend {
      url = "https://" # ERROR: Invalid URL
    }
  }
  api "inside" {
    path = "/8"
    backend {
      url = "http://10.0.3.4:8080" # ERROR: URL inside a VPC
    }
  }
  api "first" {
    path = "/9"
    backend {
      url = "https://api.test:8443"
    }
  }
  api "second" {
    path = "/10"
    backend {
      url = "http://API.test:8443" # ERROR: One server with two schemes
    }
  }
  api "third" {
    path = "/11"
    backend {
      url = "http://api.test"
    }
  }
  api "any_address" {
    path = "/12"
    backend {
      url = "http://0.0.0.0" # ERROR: Invalid URL
    }
  }
}
