vpc "plain" {}

vpc "blocks" {
  cidr_blocks = [
    "10.1.0.0/16",
    "10.2.0.1/16",          # ERROR: Invalid CIDR block
    "10.3.0.0",             # ERROR: Invalid CIDR block
    "2001:db8::",           # ERROR: Invalid CIDR block
    "10.4.0.0/33",          # ERROR: Invalid CIDR block
    "10.5.0.0/016",         # ERROR: Invalid CIDR block
    "10.300.0.0/16",        # ERROR: Invalid CIDR block
    "::ffff:10.6.0.0/112",  # ERROR: Invalid CIDR block
    "::ffff:0:0/90",        # ERROR: Invalid CIDR block
    "fe80::%eth0/64",       # ERROR: Invalid CIDR block
    "example.com",          # ERROR: Invalid CIDR block
    "",                     # ERROR: Invalid CIDR block
  ]
}
