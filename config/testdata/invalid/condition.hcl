vpc "main" {}

instance "edge" {
  vpc = vpc.main
  listener "http" {
    port = 8080
  }
}

service "names" {
  instance = instance.edge

  api "a" {
    path = "/a"
    header "Host" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header ":authority" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header ":method" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header ":path" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header ":scheme" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header ":other" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header "x y" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header "x-envoy-retry-on" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header "X-Weir-Scope" { # ERROR: Invalid name of a header
      exact = "a"
    }
    header "X-Version" {
      exact = "a"
    }
    header "x-version" { # ERROR: Two conditions on one header
      exact = "b"
    }
    query "a\nb" { # ERROR: Invalid name of a query
      present = true
    }
    query "a" {
      present = true
    }
    query "a" { # ERROR: Two conditions on one query
      exact = "b"
    }
    query "A" {
      exact = "b"
    }
    backend {
      mock {}
    }
  }
}

service "texts" {
  instance = instance.edge

  api "a" {
    path = "/a/b"
    header "a" { # ERROR: Condition that is not one
    }
    header "b" { # ERROR: Condition that is not one
      exact  = "a"
      prefix = "a"
    }
    header "c" {
      exact = "" # ERROR: Invalid text of a condition
    }
    header "d" {
      exact = " a" # ERROR: Invalid text of a condition
    }
    header "e" {
      suffix = "a " # ERROR: Invalid text of a condition
    }
    header "f" {
      regex = "(" # ERROR: Invalid text of a condition
    }
    header "g" {
      regex = "((a{100}){9}){9}" # ERROR: Invalid text of a condition
    }
    header "h" {
      regex = "(?<name>a)" # ERROR: Invalid text of a condition
    }
    header "h1" {
      regex = "\\pL" # ERROR: Invalid text of a condition
    }
    header "h2" {
      regex = "\\x{1F600}" # ERROR: Invalid text of a condition
    }
    header "h3" {
      regex = "ü" # ERROR: Invalid text of a condition
    }
    header "h4" {
      regex = "\\\\p|\\x41"
    }
    header "i" {
      contains = "a\u0001" # ERROR: Invalid text of a condition
    }
    header "j" {
      present = false
      invert  = true # ERROR: Absence said twice
    }
    header "k" {
      regex  = "a*"
      invert = true # ERROR: Inverted regex that matches nothing
    }
    header "l" {
      is = "a" # ERROR: Unknown attribute "is"
    }
    header "m" {
      contains = " "
    }
    query "n" {
      regex = "a" # ERROR: Unknown attribute "regex"
    }
    backend {
      mock {}
    }
  }
}

service "conflicts" {
  instance = instance.edge

  api "none" {
    path = "/c"
    backend {
      mock {}
    }
  }
  api "one" {
    path = "/c"
    header "x" {
      exact = "1"
    }
    backend {
      mock {}
    }
  }
  api "two" {
    path = "/c"
    header "x" {
      exact = "2"
    }
    backend {
      mock {}
    }
  }
  api "query" {
    path = "/c"
    query "x" {
      exact = "2"
    }
    backend {
      mock {}
    }
  }
  api "again" {
    path = "/c"
    query "y" {
      present = true
    }
    header "X" {
      exact = "2"
    }
    backend {
      mock {}
    }
  }
  api "first" { # ERROR: Two APIs for the same requests
    path = "/c"
    header "X" {
      exact = "2"
    }
    query "y" {
      present = true
    }
    backend {
      mock {}
    }
  }
  api "inverted" {
    path = "/c"
    header "x" {
      exact  = "2"
      invert = true
    }
    backend {
      mock {}
    }
  }
}
