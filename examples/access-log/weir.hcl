# A line of JSON per request, with the names of service, API, upstream and node, and the number of attempts.
#
# "weir run" passes the lines of its Envoys on to standard output; its own log goes to standard error:
#
#   weir run examples/access-log > access.log
#   jq 'select(.status >= 500) | {api, node, attempts, flags}' access.log

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }

  # both are the defaults: access_log {} is enough
  access_log {
    format = "json"
    path   = "/dev/stdout"
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9001" {}
  node "127.0.0.1:9002" {}
}

service "shop" {
  instance = instance.edge

  api "orders" {
    path_prefix = "/orders"

    backend {
      upstream = upstream.orders
    }
  }
}
