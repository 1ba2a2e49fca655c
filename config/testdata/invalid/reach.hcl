vpc "a" {}
vpc "b" {}
vpc "c" {}
vpc "d" {}

ccn "ab" {
  vpcs = [vpc.a, vpc.b]
}

ccn "bc" {
  vpcs = [vpc.b, vpc.c]
}

instance "here" {
  vpc = vpc.a
  listener "http" {
    port = 80
  }
}

instance "nowhere" {
  type = "shared"
  listener "http" {
    port = 80
  }
}

upstream "in_a" {
  vpc      = vpc.a
  protocol = "http"
  node "a.test:80" {}
}

upstream "in_b" {
  vpc      = vpc.b
  protocol = "http"
  node "b.test:80" {}
}

upstream "in_c" {
  vpc      = vpc.c
  protocol = "http"
  node "c.test:80" {}
}

upstream "in_d" {
  vpc      = vpc.d
  protocol = "http"
  node "d.test:80" {}
}

service "dedicated" {
  instance = instance.here

  api "a" {
    path = "/a"
    backend {
      upstream = upstream.in_a
    }
  }
  api "b" {
    path = "/b"
    backend {
      upstream = upstream.in_b
    }
  }
  api "c" {
    path = "/c"
    backend {
      upstream = upstream.in_c # ERROR: VPC that cannot be reached
    }
  }
  api "d" {
    path = "/d"
    backend {
      upstream = upstream.in_d # ERROR: VPC that cannot be reached
    }
  }
}

service "shared" {
  instance = instance.nowhere

  api "a" {
    path = "/a"
    backend {
      upstream = upstream.in_a # ERROR: VPC upstream on a shared instance
    }
  }
  api "public" {
    path = "/public"
    backend {
      url = "https://api.test"
    }
  }
}
