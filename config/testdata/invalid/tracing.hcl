vpc "main" {}

instance "a" {
  vpc = vpc.main
  listener "http" { port = 80 }
  tracing {
    otlp     = "http://collector:4318/v1/traces" # ERROR: Invalid collector
    sampling = 5                                 # ERROR: Value out of range
  }
}

instance "b" {
  vpc = vpc.main
  listener "http" { port = 81 }
  tracing {
    otlp     = "collector" # ERROR: Invalid collector
    sampling = -0.1        # ERROR: Value out of range
  }
  tracing { otlp = "collector:4317" } # ERROR: A second tracing block
}

instance "c" {
  vpc = vpc.main
  listener "http" { port = 82 }
  tracing { # ERROR: Missing attribute "otlp"
    sampling = "all" # ERROR: "sampling" is a number
  }
}

instance "d" {
  vpc = vpc.main
  listener "http" { port = 83 }
  tracing {
    otlp = "0.0.0.0:4317" # ERROR: Invalid collector
  }
}
