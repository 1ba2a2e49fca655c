# Nodes that take requests from known callers only: Envoy shows them a certificate.
#
# This example reads three files beside it: ca.crt, the CA that signed the nodes' certificates, and client.crt with
# client.key, which the nodes' own CA signed for the gateway. Renew them in place: weir watches them.
# To look at it without files of your own, make some:
#
#   openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ca -keyout ca.key -out ca.crt
#   openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=gateway -keyout client.key -out client.crt

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}

upstream "ledger" {
  vpc         = vpc.main
  protocol    = "https"
  host_header = "ledger.internal"

  tls {
    ca_file                 = "ca.crt"
    client_certificate_file = "client.crt"
    client_key_file         = "client.key"
    min_version             = "1.3"
  }

  node "10.0.1.10:8443" {}
}

service "ledger" {
  instance = instance.edge

  api "all" {
    backend {
      upstream = upstream.ledger
    }
  }
}
