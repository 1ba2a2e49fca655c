package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// parseDomain reads a domain of a service: a host name, "*." before one, or an IP address. The result is as a Host
// header has it, in lower case, an IPv6 address in brackets.
func parseDomain(text string) (string, *fault) {
	domain, wrong := canonicalDomain(text)
	if wrong == "" {
		return domain, nil
	}
	return "", &fault{ruleDomain, "Invalid domain", fmt.Sprintf("%q is not a domain. %s A domain is a host name, \"*.\" and a host name, or an IP address, without a port.", text, wrong)}
}

func canonicalDomain(text string) (string, string) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return hostPort{host: addr.Unmap().String()}.String(), ""
	}
	rest, wildcard := strings.CutPrefix(text, "*.")
	switch {
	case text == "*":
		return "", "A service that takes every host has no domains: leave the attribute out."
	case strings.Contains(rest, "*"):
		return "", "A * stands only for whole labels at the front, as in \"*.example.com\"."
	}
	parsed, wrong := parseHostPort(rest)
	switch {
	case wrong != "":
		return "", wrong
	case parsed.hasPort:
		return "", fmt.Sprintf("The caller's port is ignored; leave it out: %q.", strings.TrimSuffix(text, fmt.Sprintf(":%d", parsed.port)))
	case !wildcard:
		return parsed.String(), ""
	}
	if _, err := netip.ParseAddr(parsed.host); err == nil {
		return "", "An IP address has no wildcard."
	}
	return "*." + parsed.host, ""
}
