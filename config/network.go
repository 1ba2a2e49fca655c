package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

type vpc struct {
	model *model.VPC
	cidrs []lang.Value[netip.Prefix] // the valid ones
	head  hcl.Range
	whole bool // all are valid: an address that lies in none of them lies outside
}

type ccn struct {
	model *model.CCN
	vpcs  []lang.Value[lang.Ref]
	head  hcl.Range
}

func (l *loader) decodeVPC(block *lang.Block, body *lang.Body) *vpc {
	out := &vpc{head: block.DefRange, whole: true, model: &model.VPC{
		Name:        block.Name,
		Description: body.String("description").Or(""),
		Place:       block.Place(),
	}}
	blocks := body.StringList("cidr_blocks")
	out.whole = blocks.State != lang.Invalid
	for _, item := range blocks.V {
		prefix, bad := netip.Prefix{}, (*fault)(nil)
		if item.Valid() {
			prefix, bad = parseCIDR(item.V)
		}
		switch {
		case bad != nil:
			l.blame(item, bad)
			out.whole = false
		case !item.Valid():
			out.whole = false
		default:
			out.cidrs = append(out.cidrs, lang.Value[netip.Prefix]{V: prefix, Range: item.Range, State: lang.Valid})
			out.model.CIDRBlocks = append(out.model.CIDRBlocks, prefix)
		}
	}
	return out
}

// parseCIDR reads "10.0.0.0/16".
func parseCIDR(text string) (netip.Prefix, *fault) {
	prefix, wrong := canonicalCIDR(text)
	if wrong == "" {
		return prefix, nil
	}
	return netip.Prefix{}, &fault{ruleCIDR, "Invalid CIDR block", "is not a CIDR block.", wrong,
		"A CIDR block is a network address and a prefix length, as in \"10.0.0.0/16\" or \"2001:db8::/32\"."}
}

func canonicalCIDR(text string) (netip.Prefix, string) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.Prefix{}, fmt.Sprintf("The prefix length is missing; for this address alone write %q.", netip.PrefixFrom(addr, addr.BitLen()))
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		_, length, _ := strings.Cut(text, "/")
		if length == "" {
			return netip.Prefix{}, "It is not an IP address, a slash and a number."
		}
		return netip.Prefix{}, wrongPrefix(text)
	case prefix.Addr().Is4In6() && prefix.Bits() < 96:
		return netip.Prefix{}, "It mixes IPv4-mapped addresses with others; write two blocks, one of IPv4 and one of IPv6."
	case prefix.Addr().Is4In6():
		ipv4 := netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96).Masked()
		return netip.Prefix{}, fmt.Sprintf("It is IPv4 written as IPv6; write %q.", ipv4)
	case prefix != prefix.Masked():
		return netip.Prefix{}, fmt.Sprintf("Bits after the prefix are set; the network is %q.", prefix.Masked())
	}
	return prefix, ""
}

func wrongPrefix(text string) string {
	address, length, _ := strings.Cut(text, "/")
	addr, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return fmt.Sprintf("%q is not an IP address.", address)
	case addr.Zone() != "":
		return "A zone means something on one machine only; leave it out."
	}
	return fmt.Sprintf("The prefix length %q is not a number, 0-%d, without leading zeros.", length, addr.BitLen())
}

func (l *loader) decodeCCN(block *lang.Block, body *lang.Body) *ccn {
	out := &ccn{head: block.DefRange, model: &model.CCN{
		Name:        block.Name,
		Description: body.String("description").Or(""),
		Place:       block.Place(),
	}}
	for _, item := range body.RefList("vpcs").V {
		if !item.Valid() {
			continue
		}
		if slices.Contains(out.model.VPCs, item.V.Name) {
			l.report(ruleValue, item.Range, "VPC joined twice", "%s stands in this list already. A CCN lists each of its VPCs once; remove one of the two.", kindVPC+"."+item.V.Name)
			continue
		}
		out.model.VPCs = append(out.model.VPCs, item.V.Name)
		out.vpcs = append(out.vpcs, item)
	}
	slices.Sort(out.model.VPCs)
	return out
}

// checkOverlaps holds rule 3 for the VPCs of each CCN: where addresses overlap, a route between the two leads nowhere.
func (l *loader) checkOverlaps() {
	for _, name := range slices.Sorted(maps.Keys(l.known.ccns)) {
		joined := l.known.ccns[name].vpcs
		for i := range joined {
			for j := range i {
				l.checkOverlap(name, joined[j].V.Name, joined[i])
			}
		}
	}
}

func (l *loader) checkOverlap(ccnName, first string, second lang.Value[lang.Ref]) {
	a, b := l.known.vpcs[first], l.known.vpcs[second.V.Name]
	if a == nil || b == nil {
		return
	}
	for _, x := range a.cidrs {
		for _, y := range b.cidrs {
			if x.V.Overlaps(y.V) {
				l.report(ruleOverlap, second.Range, "Overlapping VPCs in one CCN",
					"CCN %q joins VPC %q, whose CIDR block %s (%s) overlaps %s of VPC %q (%s). The VPCs of a CCN have no addresses in common, since a node's address would be in both. Change one of the blocks, or take one VPC out of the CCN.",
					ccnName, second.V.Name, y.V, place(y.Range), x.V, first, place(x.Range))
				return
			}
		}
	}
}

// contains tells whether an address lies in the VPC. A VPC without blocks has every address, and one whose blocks are
// not all known is not judged.
func (v *vpc) contains(addr netip.Addr) bool {
	if !v.whole || len(v.cidrs) == 0 {
		return true
	}
	return v.declares(addr)
}

// declares tells whether one of the VPC's blocks holds the address.
func (v *vpc) declares(addr netip.Addr) bool {
	return slices.ContainsFunc(v.cidrs, func(c lang.Value[netip.Prefix]) bool { return c.V.Contains(addr) })
}

// joinedBy is the first CCN that joins two VPCs.
func (l *loader) joinedBy(a, b string) bool {
	for _, c := range l.known.ccns {
		if slices.Contains(c.model.VPCs, a) && slices.Contains(c.model.VPCs, b) {
			return true
		}
	}
	return false
}
