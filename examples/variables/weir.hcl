# One file for every environment: variables, locals, functions, conditions and references as values.
#
#   weir run --var environment=prod examples/variables
#   WEIR_VAR_base_port=9101 weir validate examples/variables

variable "environment" {
  type        = string
  default     = "staging"
  description = "staging or prod"
}

variable "base_port" {
  type    = number
  default = 9001
}

locals {
  networks = {
    staging = vpc.staging
    prod    = vpc.prod
  }
  network = local.networks[var.environment]
  weights = var.environment == "prod" ? [50, 50] : [90, 10]
  message = templatefile("motd.tftpl", { environment = upper(var.environment) })
}

vpc "staging" {}
vpc "prod" {}

instance "edge" {
  vpc = local.network

  listener "http" {
    port = 8080
  }
}

upstream "orders" {
  vpc      = local.network
  protocol = "http"
  retries  = var.environment == "prod" ? 5 : 1

  node "first" {
    address = "127.0.0.1:${var.base_port}"
    weight  = local.weights[0]
  }
  node "second" {
    address = "127.0.0.1:${var.base_port + 1}"
    weight  = local.weights[1]
  }
}

service "shop" {
  instance = instance.edge

  api "all" {
    backend {
      upstream = upstream.orders
    }
  }

  api "motd" {
    path = "/motd"

    backend {
      mock {
        body = local.message
      }
    }
  }
}
