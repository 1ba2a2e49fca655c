# A gateway in one VPC opens a service that runs in another.
#
# The instance "edge" lives in "dmz", the nodes in "prod". Without the ccn block the API "all" is refused:
# nothing carries traffic from one VPC to the other.

vpc "dmz" {
  cidr_blocks = ["10.0.0.0/24"]
}

vpc "prod" {
  cidr_blocks = ["10.8.0.0/16"] # IP nodes of this VPC must lie inside
}

ccn "backbone" {
  description = "Joins the two; no third VPC is reachable through it"
  vpcs        = [vpc.dmz, vpc.prod]
}

instance "edge" {
  vpc = vpc.dmz

  listener "http" {
    port = 8080
  }
}

upstream "orders" {
  vpc      = vpc.prod
  protocol = "http"

  node "10.8.1.10:8080" { weight = 70 }
  node "10.8.1.11:8080" { weight = 30 }
  node "10.8.1.12:8080" { weight = 0 } # listed, but disabled
}

service "shop" {
  instance = instance.edge

  api "all" {
    backend {
      upstream = upstream.orders
    }
  }
}
