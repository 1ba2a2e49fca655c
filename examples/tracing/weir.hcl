# Spans of requests, sent to an OpenTelemetry collector (OTLP over gRPC). To try it, start one that shows what comes,
# such as Jaeger, whose page is then at http://127.0.0.1:16686:
#
#   docker run --rm -p 4317:4317 -p 16686:16686 jaegertracing/jaeger
#
# A request's span is named "GET shop/orders", and each attempt has one below it.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }

  tracing {
    otlp     = "127.0.0.1:4317"
    sampling = 0.1 # one request in ten
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9001" {}
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
