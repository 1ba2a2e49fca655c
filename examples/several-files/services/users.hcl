upstream "users" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9003" {}
}

service "users" {
  instance = instance.edge # the same domain as the service orders: their APIs are taken together

  api "users" {
    path_prefix = "/users"

    backend {
      upstream = upstream.users
    }
  }
}
