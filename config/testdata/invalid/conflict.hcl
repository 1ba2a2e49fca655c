vpc "main" {}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
  listener "https" {
    port = 8443
  }
}

instance "inner" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
}

service "a" {
  instance = instance.edge
  domains  = ["shop.test", "www.shop.test"]

  api "get" {
    methods = ["GET", "HEAD"]
    path    = "/orders/{id}"
    backend {
      mock {}
    }
  }
  api "post" {
    methods = ["POST"]
    path    = "/orders/{id}"
    backend {
      mock {}
    }
  }
  api "slash" {
    path = "/orders/{id}/"
    backend {
      mock {}
    }
  }
  api "prefix" {
    path_prefix = "/orders"
    backend {
      mock {}
    }
  }
  api "same_prefix" { # ERROR: Two APIs for the same requests
    path_prefix = "/orders/"
    backend {
      mock {}
    }
  }
  api "exact" {
    path = "/orders"
    backend {
      mock {}
    }
  }
  api "all" {
    backend {
      mock {}
    }
  }
  api "root" { # ERROR: Two APIs for the same requests
    path_prefix = "/"
    backend {
      mock {}
    }
  }
}

service "b" {
  instance  = instance.edge
  domains   = ["WWW.shop.test"]
  listeners = ["https"]

  api "other_name" { # ERROR: Two APIs for the same requests
    methods = ["HEAD"]
    path    = "/orders/{order}"
    backend {
      mock {}
    }
  }
  api "other_method" {
    methods = ["DELETE"]
    path    = "/orders/{order}"
    backend {
      mock {}
    }
  }
  api "every_method" { # ERROR: Two APIs for the same requests
    path = "/orders/{order}"
    backend {
      mock {}
    }
  }
}

service "c" {
  instance = instance.edge

  api "get" {
    path = "/orders/{id}"
    backend {
      mock {}
    }
  }
}

service "d" {
  instance  = instance.edge
  listeners = ["http"]

  api "get" { # ERROR: Two APIs for the same requests
    path = "/orders/{id}"
    backend {
      mock {}
    }
  }
}

service "e" {
  instance = instance.inner

  api "get" {
    path = "/orders/{id}"
    backend {
      mock {}
    }
  }
}
