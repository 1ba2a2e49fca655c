package function

import (
	"errors"
	"fmt"
	"math/big"
	"net"

	"github.com/apparentlymart/go-cidr/cidr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

var addressEntries = map[string]entry{
	"cidrcontains": {fn: cidrContainsFunc},
	"cidrhost":     {fn: cidrHostFunc},
	"cidrnetmask":  {fn: cidrNetmaskFunc},
	"cidrsubnet":   {fn: cidrSubnetFunc},
	"cidrsubnets":  {fn: cidrSubnetsFunc, limit: limitCount},
}

// limitCount bounds a function that makes one value for each argument.
func limitCount(args []cty.Value) error {
	if len(args) > maxElements {
		return errTooMany()
	}
	return nil
}

var prefixParameter = function.Parameter{Name: "prefix", Type: cty.String}

// parsePrefix reads "10.0.0.0/16". It is argument i.
func parsePrefix(args []cty.Value, i int) (*net.IPNet, error) {
	_, network, err := net.ParseCIDR(args[i].AsString())
	if err != nil {
		return nil, function.NewArgErrorf(i, "invalid CIDR expression: %w", err)
	}
	return network, nil
}

// wholeArgument reads a whole number of any size.
func wholeArgument(args []cty.Value, i int) (*big.Int, error) {
	n, accuracy := args[i].AsBigFloat().Int(nil)
	if n == nil || accuracy != big.Exact {
		return nil, function.NewArgErrorf(i, "a whole number is required")
	}
	return n, nil
}

// smallArgument reads a whole number that fits an int.
func smallArgument(args []cty.Value, i int) (int, error) {
	n, err := wholeArgument(args, i)
	if err != nil {
		return 0, err
	}
	if !n.IsInt64() || n.Int64() > 1<<20 || n.Int64() < -1<<20 {
		return 0, function.NewArgErrorf(i, "the number is out of range")
	}
	return int(n.Int64()), nil
}

var cidrHostFunc = function.New(&function.Spec{
	Params: []function.Parameter{prefixParameter, {Name: "hostnum", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parsePrefix(args, 0)
		if err != nil {
			return cty.NilVal, err
		}
		number, err := wholeArgument(args, 1)
		if err != nil {
			return cty.NilVal, err
		}
		ip, err := cidr.HostBig(network, number)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(ip.String()), nil
	},
})

var cidrNetmaskFunc = function.New(&function.Spec{
	Params: []function.Parameter{prefixParameter},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parsePrefix(args, 0)
		if err != nil {
			return cty.NilVal, err
		}
		if len(network.IP) != net.IPv4len {
			return cty.NilVal, function.NewArgErrorf(0, "IPv6 addresses cannot have a netmask: write the prefix length")
		}
		return cty.StringVal(net.IP(network.Mask).String()), nil
	},
})

var cidrSubnetFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		prefixParameter, {Name: "newbits", Type: cty.Number}, {Name: "netnum", Type: cty.Number},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parsePrefix(args, 0)
		if err != nil {
			return cty.NilVal, err
		}
		bits, err := newBits(args, 1)
		if err != nil {
			return cty.NilVal, err
		}
		number, err := wholeArgument(args, 2)
		if err != nil {
			return cty.NilVal, err
		}
		subnet, err := cidr.SubnetBig(network, bits, number)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.StringVal(subnet.String()), nil
	},
})

// newBits reads by how many bits a prefix is to become longer.
func newBits(args []cty.Value, i int) (int, error) {
	bits, err := smallArgument(args, i)
	if err == nil && bits < 0 {
		return 0, function.NewArgErrorf(i, "must not be negative")
	}
	return bits, err
}

var cidrSubnetsFunc = function.New(&function.Spec{
	Params:   []function.Parameter{prefixParameter},
	VarParam: &function.Parameter{Name: "newbits", Type: cty.Number},
	Type:     function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parsePrefix(args, 0)
		if err != nil {
			return cty.NilVal, err
		}
		subnets := make([]cty.Value, 0, len(args)-1)
		var last *net.IPNet
		for i := 1; i < len(args); i++ {
			if last, err = subnetAfter(network, last, args, i); err != nil {
				return cty.NilVal, err
			}
			subnets = append(subnets, cty.StringVal(last.String()))
		}
		if len(subnets) == 0 {
			return cty.ListValEmpty(cty.String), nil
		}
		return cty.ListVal(subnets), nil
	},
})

// subnetAfter returns the next free part of network that is as large as argument i asks, last being the part before.
func subnetAfter(network, last *net.IPNet, args []cty.Value, i int) (*net.IPNet, error) {
	bits, err := newBits(args, i)
	if err != nil {
		return nil, err
	}
	ones, size := network.Mask.Size()
	if bits == 0 {
		return nil, function.NewArgErrorf(i, "must extend prefix by at least one bit")
	}
	if ones+bits > size {
		return nil, function.NewArgErrorf(i, "not enough remaining address space for a prefix of %d bits", ones+bits)
	}
	if last == nil {
		return cidr.Subnet(network, bits, 0)
	}
	next, rolledOver := cidr.NextSubnet(last, ones+bits)
	if rolledOver || !network.Contains(next.IP) {
		return nil, function.NewArgErrorf(i, "not enough remaining address space for a subnet with a prefix of %d bits after %s",
			ones+bits, last)
	}
	return next, nil
}

// cidrContainsFunc tells whether an address, or all of a prefix, lies inside a prefix.
var cidrContainsFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "containing_prefix", Type: cty.String}, {Name: "contained_ip_or_prefix", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		network, err := parsePrefix(args, 0)
		if err != nil {
			return cty.NilVal, err
		}
		first, last, err := addressRange(args[1].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		if (network.IP.To4() == nil) != (first.To4() == nil) {
			return cty.NilVal, errors.New("address family mismatch: one is IPv4, the other IPv6")
		}
		return cty.BoolVal(network.Contains(first) && network.Contains(last)), nil
	},
})

// addressRange returns the first and the last address of a prefix, or an address twice.
func addressRange(s string) (first, last net.IP, err error) {
	if ip := net.ParseIP(s); ip != nil {
		return ip, ip, nil
	}
	_, network, err := net.ParseCIDR(s)
	if err != nil {
		return nil, nil, fmt.Errorf("invalid IP address or prefix: %s", s)
	}
	first, last = cidr.AddressRange(network)
	return first, last, nil
}
