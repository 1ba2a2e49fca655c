variable "password" {
  sensitive = true
}

locals { copied = "correct horse" }

vpc "main" {}

upstream "orders" {
  vpc         = vpc.main
  protocol    = "https"
  host_header = "https://${var.password}"
  node "10.0.0.1:443" {}
}

upstream "largé" { # correct horse
  vpc     = vpc.main
  retries = 1 + 100
  node "10.0.0.1:80" {}
}

upstream "shops" {
  vpc         = vpc.main
  protocol    = "https"
  node "10.0.0.1:443" {}
}
