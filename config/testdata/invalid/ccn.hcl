vpc "a" {
  cidr_blocks = ["10.1.0.0/16", "10.2.0.0/16"]
}

vpc "b" {
  cidr_blocks = ["10.2.128.0/17"]
}

vpc "c" {
  cidr_blocks = ["10.3.0.0/16"]
}

vpc "d" {
  cidr_blocks = ["10.0.0.0/8", "2001:db8::/32"]
}

vpc "any" {}

ccn "fine" {
  vpcs = [vpc.a, vpc.c, vpc.any]
}

ccn "overlapping" {
  vpcs = [
    vpc.a,
    vpc.b, # ERROR: Overlapping VPCs in one CCN
    vpc.c,
  ]
}

ccn "all" {
  vpcs = [
    vpc.c,
    vpc.d, # ERROR: Overlapping VPCs in one CCN
    vpc.c, # ERROR: VPC joined twice
  ]
}
