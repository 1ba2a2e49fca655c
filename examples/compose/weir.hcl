# What compose.yaml runs: the gateway and its nodes in containers, found by name.

vpc "compose" {}

instance "edge" {
  vpc = vpc.compose

  listener "http" {
    port = 8080
  }
}

upstream "nodes" {
  vpc      = vpc.compose
  protocol = "http"

  node "node-1:9000" { weight = 70 }
  node "node-2:9000" { weight = 30 }
}

service "demo" {
  instance = instance.edge

  api "all" {
    backend {
      upstream = upstream.nodes
    }
  }
}
