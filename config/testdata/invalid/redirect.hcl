vpc "main" {}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
  listener "https" {
    port = 8443
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/edge.key"
    }
  }
}

service "shop" {
  instance  = instance.edge
  listeners = ["http"]
  domains   = ["shop.test", "*.shop.test"]

  api "nothing" {
    path = "/nothing"
    backend {
      redirect { # ERROR: Redirect to nowhere else
        strip_query = true
      }
    }
  }
  api "scheme" {
    path = "/scheme"
    backend {
      redirect {
        scheme = "HTTPS" # ERROR: Unknown value
        status = 304     # ERROR: Invalid status
      }
    }
  }
  api "host" {
    path = "/host"
    backend {
      redirect {
        host = "www.test:80" # ERROR: Invalid host
        port = 0             # ERROR: Invalid port
      }
    }
  }
  api "url" {
    path = "/url"
    backend {
      redirect {
        host = "https://www.test/" # ERROR: Invalid host
      }
    }
  }
  api "both" {
    path_prefix = "/both"
    backend {
      redirect {
        path        = "/a"
        path_prefix = "/b" # ERROR: Both path and path_prefix
      }
    }
  }
  api "prefix" {
    path = "/prefix/{id}"
    backend {
      redirect {
        path_prefix = "/b" # ERROR: Nothing to take the place of
      }
    }
  }
  api "variable" {
    path = "/variable/{id}"
    backend {
      redirect {
        path = "/b/{ids}" # ERROR: Invalid path of a redirect
      }
    }
  }
  api "variable_of_prefix" {
    path_prefix = "/p"
    backend {
      redirect {
        path_prefix = "/b/{id}" # ERROR: Invalid path of a redirect
      }
    }
  }
  api "path" {
    path = "/meaningless"
    backend {
      path    = "/b" # ERROR: Meaningless with a redirect
      timeout = "1s" # ERROR: Meaningless with a redirect
      redirect {
        host = "www.test"
      }
    }
  }
  api "two" {
    path = "/two"
    backend {
      mock {}
      redirect { # ERROR: Backend with more than one target
        host = "www.test"
      }
    }
  }
  api "own_host" {
    path = "/own"
    backend {
      redirect { # ERROR: Redirect in a circle
        host = "shop.test"
      }
    }
  }
  api "own_path" {
    path = "/here"
    backend {
      redirect { # ERROR: Redirect in a circle
        path = "/here"
      }
    }
  }
  api "fine" {
    path = "/fine"
    backend {
      redirect {
        scheme = "https"
      }
    }
  }
}

service "everywhere" {
  instance = instance.edge

  api "all" {
    backend {
      redirect { # ERROR: Redirect in a circle
        scheme = "https"
      }
    }
  }
}

# Circles over several APIs, whatever their services.
service "around" {
  instance = instance.edge
  domains  = ["around.test", "again.test"]

  api "a" {
    path = "/a"
    backend {
      redirect { # ERROR: Redirects in a circle
        path = "/b"
      }
    }
  }
  api "b" {
    methods = ["GET", "POST"]
    path    = "/b"
    backend {
      redirect { # ERROR: Redirects in a circle
        path        = "/c"
        status      = 303
        strip_query = true
      }
    }
  }
  api "into" {
    path = "/into"
    backend {
      redirect {
        path = "/a"
      }
    }
  }
  api "slash" {
    path = "/docs"
    backend {
      redirect { # ERROR: Redirects in a circle
        path = "/docs/"
      }
    }
  }
  api "no_slash" {
    path = "/docs/"
    backend {
      redirect { # ERROR: Redirects in a circle
        path = "/docs"
      }
    }
  }
}

service "around_too" {
  instance  = instance.edge
  listeners = ["https"]
  domains   = ["around.test"]

  api "c" {
    path = "/c"
    backend {
      redirect { # ERROR: Redirects in a circle
        path = "/a"
      }
    }
  }
}

instance "misnamed" {
  vpc = vpc.main
  listener "no-name" { # ERROR: Invalid name of listener "no-name"
    port = 8080
  }
}

service "misnamed" { # it stands on that listener all the same
  instance = instance.misnamed

  api "secure" {
    backend {
      redirect {
        scheme = "https"
      }
    }
  }
}
