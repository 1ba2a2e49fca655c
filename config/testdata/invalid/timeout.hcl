vpc "main" {}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
}

upstream "patient" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 100
  node "10.0.0.1:80" {}
}

upstream "usual" {
  vpc      = vpc.main
  protocol = "http"
  node "10.0.0.1:80" {}
}

upstream "wrong" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 1000 # ERROR: Invalid number of retries
  node "10.0.0.1:80" {}
}

service "shop" {
  instance = instance.edge

  api "default" {
    path = "/default"
    backend { upstream = upstream.patient }
  }
  api "none" {
    path = "/none"
    backend {
      upstream = upstream.patient
      timeout  = "0s"
    }
  }
  api "enough" {
    path = "/enough"
    backend {
      upstream = upstream.patient
      timeout  = "2500ms"
    }
  }
  api "short" {
    path = "/short"
    backend {
      upstream = upstream.patient
      timeout  = "2s" # WARNING: Retries that do not fit the timeout
    }
  }
  api "usual" {
    path = "/usual"
    backend {
      upstream = upstream.usual
      timeout  = "63ms"
    }
  }
  api "hasty" {
    path = "/hasty"
    backend {
      upstream = upstream.usual
      timeout  = "62ms" # WARNING: Retries that do not fit the timeout
    }
  }
  api "url" {
    path = "/url"
    backend {
      url     = "https://api.test"
      timeout = "50ms" # WARNING: Retries that do not fit the timeout
    }
  }
  api "mock" {
    path = "/mock"
    backend {
      timeout = "1ms" # ERROR: Meaningless with a mock
      mock {}
    }
  }
  api "judged" {
    path = "/judged"
    backend {
      upstream = upstream.wrong
      timeout  = "1ms"
    }
  }
}
