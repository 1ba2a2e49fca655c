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
	return "", &fault{ruleDomain, "Invalid domain", "is not a domain.", wrong,
		"A domain is a host name, \"*.\" and a host name, or an IP address, without a port."}
}

// write is the remedy, where there is one.
func write(h hostPort) string {
	if h.host == "" {
		return ""
	}
	return fmt.Sprintf("Write %q.", h)
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
	if _, host, ok := strings.Cut(text, "://"); ok {
		host, _, _ = strings.Cut(host, "/")
		parsed, _ := parseHostPort(host)
		return "", strings.TrimSpace(fmt.Sprintf("It has a scheme. %s", write(hostPort{host: parsed.host})))
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
