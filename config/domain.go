package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// parseDomain reads a domain of a service: a host name, "*." before one, or an IP address. The result is as a Host
// header has it, in lower case, an IPv6 address in brackets.
func parseDomain(text string) (string, *fault) {
	domain, _ := canonicalDomain(text)
	wrong := mend(text, func(text string) slip {
		_, wrong := canonicalDomain(text)
		return wrong
	})
	if wrong == "" {
		return domain, nil
	}
	return "", &fault{ruleDomain, "Invalid domain", "is not a domain.", wrong,
		"A domain is a host name, \"*.\" and a host name, or an IP address, without a port."}
}

func canonicalDomain(text string) (string, slip) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return hostPort{host: addr.Unmap().String()}.String(), slip{}
	}
	rest, wildcard := strings.CutPrefix(text, "*.")
	switch {
	case text == "*":
		return "", slip{wrong: "A service that takes every host has no domains: leave the attribute out."}
	case strings.Contains(text, "://"):
		_, host, _ := strings.Cut(text, "://")
		return "", slip{"It has a scheme; leave that out.", host}
	case strings.Contains(rest, "*"):
		return "", slip{wrong: "A * stands only for whole labels at the front, as in \"*.example.com\"."}
	}
	parsed, wrong := parseHostPort(rest)
	if wildcard && wrong.instead != "" {
		wrong.instead = "*." + wrong.instead
	}
	switch {
	case wrong.wrong != "":
		return "", wrong
	case parsed.hasPort:
		return "", slip{"The caller's port is ignored; leave it out.", strings.TrimSuffix(text, fmt.Sprintf(":%d", parsed.port))}
	case !wildcard:
		return parsed.String(), slip{}
	}
	if _, err := netip.ParseAddr(parsed.host); err == nil {
		return "", slip{wrong: "An IP address has no wildcard."}
	}
	return "*." + parsed.host, slip{}
}
