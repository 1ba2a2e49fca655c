vpc "main" {}

instance "a" {
  vpc = vpc.main
  listener "http" { port = 80 }
  access_log {
    format = "JSON"       # ERROR: Unknown value
    path   = "access.log" # ERROR: Invalid path of a log
  }
}

instance "b" {
  vpc = vpc.main
  listener "http" { port = 81 }
  access_log {
    path = "/var/log/" # ERROR: Invalid path of a log
  }
  access_log {} # ERROR: A second access_log block
}

instance "c" {
  vpc = vpc.main
  listener "http" { port = 82 }
  access_log {
    path = "" # ERROR: Invalid path of a log
  }
}

instance "d" {
  vpc = vpc.main
  listener "http" { port = 83 }
  access_log {
    path = "/tmp/a\nb" # ERROR: Invalid path of a log
  }
}
