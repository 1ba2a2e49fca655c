# What the language itself refuses is not judged again.

vpc "main" {
  cidr_blocks = ["10.0.0.0/16", null, {}] # ERROR: "cidr_blocks" is a list of texts # ERROR: null in a list
}

vpc "text" {
  cidr_blocks = "10.0.0.0/16" # ERROR: "cidr_blocks" is a list of texts
}

vpc "1st" {}

ccn "mixed" {
  vpcs = [vpc.main, vpc.none, "vpc.text", vpc.text] # ERROR: No vpc named "none"
}

instance "edge" {
  type = [] # ERROR: "type" is text
  vpc  = vpc.mian # ERROR: No vpc named "mian"
  listener "http" {
    address = {} # ERROR: "address" is text
    port    = "eighty" # ERROR: "port" is a whole number
    tls { # ERROR: Missing attribute "private_key_file"
      certificate_file = [] # ERROR: "certificate_file" is text
    }
  }
  listener "again" {
    port = null # ERROR: Missing attribute "port"
  }
}

upstream "orders" {
  vpc            = "main" # ERROR: Text where a reference belongs
  load_balancing = {} # ERROR: "load_balancing" is text
  protocol       = [] # ERROR: "protocol" is text
  host_header    = {} # ERROR: "host_header" is text
  retries        = "many" # ERROR: "retries" is a whole number
  tls {
    insecure_skip_verify = "perhaps" # ERROR: "insecure_skip_verify" is true or false
    sni                  = [] # ERROR: "sni" is text
  }
  tls {} # ERROR: A second tls block
  node "10.1.0.1:80" {
    weight = "heavy" # ERROR: "weight" is a whole number
  }
  node "second" {
    address = [] # ERROR: "address" is text
  }
  node "" { # ERROR: Empty label of a node
    address = "10.0.0.1:80"
  }
}

upstream "dynamic" {
  vpc      = vpc.main
  protocol = "http"
  dynamic "node" {
    for_each = local.none # ERROR: Undeclared local "none"
    labels   = [node.value]
    content {}
  }
}

service "shop" {
  instance  = instance.none # ERROR: No instance named "none"
  domains   = {} # ERROR: "domains" is a list of texts
  listeners = ["anything"]
  api "get" {
    methods = "GET" # ERROR: "methods" is a list of texts
    path    = [] # ERROR: "path" is text
    backend {
      upstream = "orders" # ERROR: Text where a reference belongs
      path     = "/v1/{id}"
      timeout  = 15 # ERROR: "timeout" is a duration such as "15s"
    }
  }
  api "none" { # ERROR: Missing block "backend"
    path = null
  }
  api "two" {
    methods = ["GET", null] # ERROR: null in a list
    path    = "/orders/${id}" # ERROR: Path variable {id} written as ${id}
    backend {
      mock {
        status = "ok" # ERROR: "status" is a whole number
      }
    }
    backend { # ERROR: A second backend block
      mock {}
    }
  }
}
