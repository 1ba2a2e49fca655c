vpc "main" {}
vpc "far" {}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
}

upstream "a" {
  vpc      = vpc.main
  protocol = "http"
  retries  = 100
  node "10.0.0.1:80" {}
}
upstream "b" {
  vpc      = vpc.main
  protocol = "http"
  node "10.0.0.2:80" {}
}
upstream "far" {
  vpc      = vpc.far
  protocol = "http"
  node "10.0.0.3:80" {}
}

service "splits" {
  instance = instance.edge

  api "one" {
    path = "/one"
    backend {
      split { # ERROR: Missing block "target"
        target {
          upstream = upstream.a
        }
      }
    }
  }
  api "twice" {
    path = "/twice"
    backend {
      split {
        target {
          upstream = upstream.a
        }
        target {
          upstream = upstream.a # ERROR: Upstream in a split twice
        }
      }
    }
  }
  api "weights" {
    path = "/weights"
    backend {
      split {
        target {
          upstream = upstream.a
          weight   = 1
        }
        target { # ERROR: Targets with and without a weight
          upstream = upstream.b
        }
      }
    }
  }
  api "nothing" {
    path = "/nothing"
    backend {
      split { # ERROR: Split without a share
        target {
          upstream = upstream.a
          weight   = 0
        }
        target {
          upstream = upstream.b
          weight   = 0
        }
      }
    }
  }
  api "range" {
    path = "/range"
    backend {
      split {
        target {
          upstream = upstream.a
          weight   = 65536 # ERROR: Invalid weight
        }
        target {
          upstream = upstream.b
        }
      }
    }
  }
  api "reach" {
    path = "/reach"
    backend {
      split {
        target {
          upstream = upstream.a
        }
        target {
          upstream = upstream.far # ERROR: VPC that cannot be reached
        }
      }
    }
  }
  api "use" {
    path = "/use"
    backend {
      split {
        target {
          upstream = upstream.a
        }
        target {
          upstream = upstream.lost # ERROR: There is no upstream "lost"
        }
      }
    }
  }
  api "two" {
    path = "/two"
    backend {
      upstream = upstream.a
      split { # ERROR: Backend with more than one target
        target {
          upstream = upstream.a
        }
        target {
          upstream = upstream.b
        }
      }
    }
  }
  api "short" {
    path = "/short"
    backend {
      timeout = "5ms" # WARNING: Retries that do not fit the timeout
      split {
        target {
          upstream = upstream.a
        }
        target {
          upstream = upstream.b
        }
      }
    }
  }
}

service "mirrors" {
  instance = instance.edge

  api "mock" {
    path = "/mock"
    backend {
      mock {}
      mirror { # ERROR: Meaningless with a mock
        upstream = upstream.a
      }
    }
  }
  api "percent" {
    path = "/percent"
    backend {
      upstream = upstream.a
      mirror {
        upstream = upstream.b
        percent  = 101 # ERROR: Invalid percentage
      }
      mirror {
        upstream = upstream.b # ERROR: Two mirrors of one upstream
      }
    }
  }
  api "reach" {
    path = "/m/reach"
    backend {
      upstream = upstream.a
      mirror {
        upstream = upstream.far # ERROR: VPC that cannot be reached
      }
    }
  }
  api "use" {
    path = "/m/use"
    backend {
      upstream = upstream.a
      mirror {
        upstream = upstream.lost # ERROR: There is no upstream "lost"
      }
    }
  }
}
