# A shared instance lives in no VPC: its APIs answer by themselves or from public servers.

instance "public" {
  type = "shared"

  listener "http" {
    port = 8080
  }
}

service "site" {
  instance = instance.public

  api "ping" {
    path = "/ping"

    backend {
      mock {
        status = 200
        body   = "pong"
      }
    }
  }

  api "catalog" {
    path_prefix = "/catalog"

    backend {
      url     = "https://catalog.example.com" # verified; its host is the Host header
      path    = "/v2"
      timeout = "5s"
    }
  }
}
