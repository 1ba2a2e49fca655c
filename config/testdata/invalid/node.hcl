vpc "main" {
  cidr_blocks = ["10.0.0.0/16", "2001:db8::/32"]
}

vpc "other" {
  cidr_blocks = ["10.1.0.0/16"]
}

vpc "wide" {}

upstream "forms" {
  vpc      = vpc.wide
  protocol = "http"

  node "orders" {}                # ERROR: Invalid node address
  node "10.0.0.1" {}              # ERROR: Invalid node address
  node "10.0.0.1:" {}             # ERROR: Invalid node address
  node ":80" {}                   # ERROR: Invalid node address
  node "10.0.0.1:0" {}            # ERROR: Invalid node address
  node "10.0.0.1:65536" {}        # ERROR: Invalid node address
  node "10.0.0.1:080" {}          # ERROR: Invalid node address
  node "10.0.0.1:http" {}         # ERROR: Invalid node address
  node "10.0.0.256:80" {}         # ERROR: Invalid node address
  node "010.0.0.1:80" {}          # ERROR: Invalid node address
  node "2001:db8::1" {}           # ERROR: Invalid node address
  node "2001:db8::1:80" {}        # ERROR: Invalid node address
  node "[2001:db8::1]" {}         # ERROR: Invalid node address
  node "[2001:db8::1:80" {}       # ERROR: Invalid node address
  node "[2001:db8::1]80" {}       # ERROR: Invalid node address
  node "[orders]:80" {}           # ERROR: Invalid node address
  node "[fe80::1%eth0]:80" {}     # ERROR: Invalid node address
  node "http://orders.test:80" {} # ERROR: Invalid node address
  node "orders.test:80/v1" {}     # ERROR: Invalid node address
  node "me@orders.test:80" {}     # ERROR: Invalid node address
  node "orders test:80" {}        # ERROR: Invalid node address
  node "orders..test:80" {}       # ERROR: Invalid node address
  node "orders.test.:80" {}       # ERROR: Invalid node address
  node "-orders.test:80" {}       # ERROR: Invalid node address
  node "ordérs.test:80" {}        # ERROR: Invalid node address
  node "ord*rs.test:80" {}        # ERROR: Invalid node address
  node "0.0.0.0:80" {}            # ERROR: Invalid node address
  node "224.0.0.1:80" {}          # ERROR: Invalid node address

  node "named" {
    address = "orders.test" # ERROR: Invalid node address
  }
  node "not-a-name" { # ERROR: Invalid node name
    address = "orders.test:81"
  }
  node "named" { # ERROR: Node declared twice
    address = "orders.test:82"
  }
}

upstream "twice" {
  vpc      = vpc.main
  protocol = "http"

  node "10.0.0.1:80" {}
  node "10.0.0.1:80" {} # ERROR: Node listed twice
  node "10.0.0.1:81" {}
  node "[2001:db8::1]:80" {}
  node "[2001:DB8:0::1]:80" {} # ERROR: Node listed twice
  node "[::ffff:10.0.0.1]:80" {} # ERROR: Node listed twice
  node "orders.test:80" {}
  node "Orders.TEST:80" {} # ERROR: Node listed twice
  node "named" {
    address = "orders.test:80" # ERROR: Node listed twice
  }
}

upstream "outside" {
  vpc      = vpc.main
  protocol = "http"

  node "10.0.255.255:80" {}
  node "10.1.0.1:80" {}       # ERROR: Node outside its VPC
  node "10.2.0.1:80" {}       # ERROR: Node outside its VPC
  node "[2001:db9::1]:80" {}  # ERROR: Node outside its VPC
  node "127.0.0.1:80" {}      # ERROR: Node outside its VPC
  node "orders.test:80" {}
}

upstream "weights" {
  vpc      = vpc.main
  protocol = "http"

  node "a.test:80" {
    weight = -1 # ERROR: Invalid weight
  }
  node "b.test:80" {
    weight = 65536 # ERROR: Invalid weight
  }
  node "c.test:80" {
    weight = 65535
  }
}

upstream "unknown_weight" {
  vpc      = vpc.main
  protocol = "http"

  node "a.test:80" {
    weight = 10
  }
  node "b.test:80" {
    weight = 70000 # ERROR: Invalid weight
  }
  node "c.test:80" {}
}

upstream "some_weights" {
  vpc      = vpc.main
  protocol = "http"

  node "a.test:80" {
    weight = 10
  }
  node "b.test:80" {
    weight = 0
  }
  node "c.test:80" {} # ERROR: Nodes with and without a weight
  node "d.test:80" {}
}

upstream "equal" {
  vpc      = vpc.main
  protocol = "http"

  node "a.test:80" {
    weight = 0
  }
  node "b.test:80" {}
}

upstream "disabled" { # ERROR: No enabled node
  vpc      = vpc.main
  protocol = "http"

  node "a.test:80" {
    weight = 0
  }
}

upstream "many" {
  vpc      = vpc.main
  protocol = "http"

  dynamic "node" { # ERROR: Too many nodes
    for_each = range(201)
    labels   = ["10.0.1.1:${node.value + 1}"]
    content {}
  }
}
