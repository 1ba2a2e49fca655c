# Listeners of a gateway at the edge: one for partners, who show a certificate (mutual TLS) and may use HTTP/3, one behind
# a TCP load balancer, which says by the PROXY protocol who the caller is, and one behind a CDN, which says so in
# X-Forwarded-For.
#
# This example reads tls/api.crt, tls/api.key and ca.crt beside it. They are watched: a renewed file is used for new
# connections, and those that are open go on. To try it, make a CA, and a certificate for the server and for a partner:
#
#   mkdir -p tls && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ca -keyout ca.key -out ca.crt
#   for name in api partner; do
#     openssl req -newkey rsa:2048 -nodes -subj /CN=$name.example.com -keyout tls/$name.key -out tls/$name.csr
#     printf 'subjectAltName=DNS:%s.example.com' $name > tls/$name.ext
#     openssl x509 -req -in tls/$name.csr -CA ca.crt -CAkey ca.key -days 30 -extfile tls/$name.ext -out tls/$name.crt
#   done
#   curl --cacert ca.crt --cert tls/partner.crt --key tls/partner.key \
#     --connect-to api.example.com:443:127.0.0.1:9443 https://api.example.com/

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "partners" {
    port            = 9443
    tls_min_version = "1.3"
    client_ca_file  = "ca.crt" # nodes see who it was in X-Forwarded-Client-Cert

    tls {
      certificate_file = "tls/api.crt"
      private_key_file = "tls/api.key"
    }

    # on UDP; advertised_port is where callers reach it, if not at the port above
    http3 { advertised_port = 9443 }
  }

  listener "balanced" {
    port                   = 8080
    proxy_protocol         = true # a connection without its header is closed
    max_request_headers_kb = 96
    idle_timeout           = "5m"
    request_timeout        = "1m" # of receiving a request, its body included
  }

  listener "cdn" {
    port                 = 8081
    xff_num_trusted_hops = 1 # the last entry is the CDN's, and believed
  }
}

upstream "orders" {
  vpc      = vpc.main
  protocol = "http"

  node "127.0.0.1:9001" {}
}

service "api" {
  instance = instance.edge

  # the caller's address, wherever the listener has it from
  ip_rules {
    deny = ["192.0.2.66", "198.51.100.0/24"]
  }

  api "all" {
    backend {
      upstream = upstream.orders
    }
  }
}
