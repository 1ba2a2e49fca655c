# All files below a directory make one configuration; their order, and which file a block stands in, mean nothing.

vpc "main" {}

instance "edge" {
  vpc = vpc.main

  listener "http" {
    port = 8080
  }
}
