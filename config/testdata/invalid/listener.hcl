vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "plain" {
    port            = 8080
    tls_min_version = "1.2"           # ERROR: TLS setting of a listener without TLS
    client_ca_file  = "tls/ca.crt"    # ERROR: TLS setting of a listener without TLS
  }
  listener "old" {
    port            = 8443
    tls_min_version = "1.1"           # ERROR: Unknown value
    client_ca_file  = "tls/missing.crt" # ERROR: File that cannot be read
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/edge.key"
    }
  }
  listener "expired" {
    port           = 8444
    client_ca_file = "tls/expired.crt" # WARNING: CA file that is out of date
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/edge.key"
    }
  }
  listener "text" {
    port           = 8445
    client_ca_file = "tls/text.pem" # ERROR: Unusable CA file
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/edge.key"
    }
  }
  listener "small" {
    port                   = 81
    max_request_headers_kb = 0      # ERROR: Invalid number
    idle_timeout           = "10us" # ERROR: Invalid duration
    request_timeout        = 30     # ERROR: "request_timeout" is a duration such as "15s"
    xff_num_trusted_hops   = -1     # ERROR: Invalid number
    proxy_protocol         = "v2"   # ERROR: "proxy_protocol" is true or false
  }
  listener "large" {
    port                   = 82
    max_request_headers_kb = 8193    # ERROR: Invalid number
    idle_timeout           = "8761h" # ERROR: Invalid duration
    xff_num_trusted_hops   = 101     # ERROR: Invalid number
  }
  listener "clear" {
    port = 83
    http3 {} # ERROR: HTTP/3 without TLS
  }
  listener "proxied" {
    port           = 8446
    proxy_protocol = true
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/edge.key"
    }
    http3 { # ERROR: HTTP/3 behind a PROXY protocol
      advertised_port = 0 # ERROR: Invalid port
    }
  }
  listener "twice" {
    port = 8447
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/edge.key"
    }
    http3 {}
    http3 {} # ERROR: A second http3 block
  }
}
