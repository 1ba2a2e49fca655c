vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "broken" {
    port = 8443
    tls {
      certificate_file = "tls/missing.crt" # ERROR: File that cannot be read
      private_key_file = "tls/missing.key" # ERROR: File that cannot be read
    }
    tls {
      certificate_file = ""         # ERROR: Missing file name
      private_key_file = "tls"      # ERROR: File that cannot be read
    }
    tls {
      certificate_file = "tls/text.pem" # ERROR: Unusable certificate
      private_key_file = "tls/text.pem" # ERROR: Unusable private key
    }
    tls {
      certificate_file = "tls/garbage.crt" # ERROR: Unusable certificate
      private_key_file = "tls/passphrase.key" # ERROR: Unusable private key
    }
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/other.key" # ERROR: Key and certificate do not belong together
    }
    tls {
      certificate_file = "tls/ed25519.crt"
      private_key_file = "tls/ed25519.key" # ERROR: Unusable private key
    }
    tls {
      certificate_file = "tls/rsa1024.crt"
      private_key_file = "tls/rsa1024.key" # ERROR: Unusable private key
    }
  }

  listener "names" {
    port = 8444
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/edge.key"
    }
    tls {
      certificate_file = "tls/other.crt"
      private_key_file = "tls/other.key"
    }
    tls {
      certificate_file = "tls/edge_again.crt" # ERROR: Two certificates for one name
      private_key_file = "tls/edge_again.key"
    }
    tls {
      certificate_file = "tls/nameless.crt" # ERROR: Certificate that is never chosen
      private_key_file = "tls/nameless.key"
    }
  }

  listener "expired" {
    port = 8446
    tls {
      certificate_file = "tls/expired.crt" # WARNING: Certificate that is out of date
      private_key_file = "tls/expired.key"
    }
  }

  listener "future" {
    port = 8447
    tls {
      certificate_file = "tls/future.crt" # WARNING: Certificate that is out of date
      private_key_file = "tls/future.key"
    }
  }

  listener "soon" {
    port = 8448
    tls {
      certificate_file = "tls/soon.crt" # WARNING: Certificate that expires soon
      private_key_file = "tls/soon.key"
    }
  }

  listener "nameless_first" {
    port = 8445
    tls {
      certificate_file = "tls/nameless.crt"
      private_key_file = "tls/nameless.key"
    }
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/edge.key"
    }
  }
}
