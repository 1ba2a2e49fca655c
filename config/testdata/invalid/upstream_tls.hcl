vpc "main" {}

upstream "alone" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    client_certificate_file = "tls/edge.crt" # ERROR: Certificate without a key
    min_version             = "1.1"          # ERROR: Unknown value
  }
  node "a.test:443" {}
}

upstream "keyed" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    client_key_file = "tls/edge.key" # ERROR: Key without a certificate
  }
  node "a.test:443" {}
}

upstream "strange" {
  vpc      = vpc.main
  protocol = "grpcs"
  tls {
    client_certificate_file = "tls/edge.crt"
    client_key_file         = "tls/other.key" # ERROR: Key and certificate do not belong together
  }
  node "a.test:443" {}
}

upstream "old" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    client_certificate_file = "tls/expired.crt" # WARNING: Certificate that is out of date
    client_key_file         = "tls/missing.key" # ERROR: File that cannot be read
  }
  node "a.test:443" {}
}

upstream "locked" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    client_certificate_file = "tls/text.pem"       # ERROR: Unusable certificate
    client_key_file         = "tls/passphrase.key" # ERROR: Unusable private key
  }
  node "a.test:443" {}
}
