vpc "main" {}

instance "homeless" { # ERROR: Missing VPC
  listener "http" {
    port = 80
  }
}

instance "mixed" {
  type = "shared"
  vpc  = vpc.main # ERROR: Shared instance with a VPC
  listener "http" {
    port = 80
  }
}

instance "kind" {
  type = "dedicatd" # ERROR: Unknown value
  listener "http" {
    port = 80
  }
}

instance "silent" { # ERROR: Missing block "listener"
  vpc = vpc.main
}

instance "ports" {
  vpc = vpc.main
  listener "zero" {
    port = 0 # ERROR: Invalid port
  }
  listener "large" {
    port = 65536 # ERROR: Invalid port
  }
  listener "name" {
    address = "localhost" # ERROR: Invalid listener address
    port    = 80
  }
  listener "both" {
    address = "127.0.0.1:80" # ERROR: Invalid listener address
    port    = 80
  }
  listener "group" {
    address = "224.0.0.1" # ERROR: Invalid listener address
    port    = 80
  }
  listener "zone" {
    address = "fe80::1%eth0" # ERROR: Invalid listener address
    port    = 80
  }
}

instance "clash" {
  vpc = vpc.main
  listener "all" {
    port = 8080
  }
  listener "again" {
    port = 8080 # ERROR: Two listeners on one address and port
  }
  listener "local" {
    address = "127.0.0.1"
    port    = 8080 # ERROR: Two listeners on one address and port
  }
  listener "other" {
    port = 8081
  }
  listener "six" {
    address = "::1"
    port    = 8080
  }
  listener "all_six" {
    address = "::"
    port    = 8080 # ERROR: Two listeners on one address and port
  }
}

instance "all" {
  vpc = vpc.main
  listener "four" {
    port = 8080
  }
  listener "both" {
    address = "::" # IPv4 too
    port    = 8080 # ERROR: Two listeners on one address and port
  }
}

instance "distinct" {
  vpc = vpc.main
  listener "a" {
    address = "127.0.0.1"
    port    = 8080
  }
  listener "b" {
    address = "127.0.0.2"
    port    = 8080
  }
  listener "mapped" {
    address = "::ffff:127.0.0.2"
    port    = 8080 # ERROR: Two listeners on one address and port
  }
}
