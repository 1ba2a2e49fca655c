package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// hostPort is "host" or "host:port" in canonical form.
type hostPort struct {
	host    string // an IP address without brackets, or a DNS name in lower case
	port    uint16
	hasPort bool
}

// String is the form that a URL or a Host header has.
func (h hostPort) String() string {
	host := h.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if !h.hasPort {
		return host
	}
	return host + ":" + strconv.Itoa(int(h.port))
}

// parseHostPort reads "host" or "host:port". The second result says in one or two sentences what is wrong and what
// to write; it is empty when nothing is.
func parseHostPort(text string) (hostPort, string) {
	host, port, hasPort, wrong := splitHostPort(text)
	if wrong != "" {
		return hostPort{}, wrong
	}
	out := hostPort{hasPort: hasPort}
	if hasPort {
		number, wrong := parsePort(port)
		if wrong != "" {
			return hostPort{}, wrong
		}
		out.port = number
	}
	out.host, wrong = canonicalHost(host)
	return out, wrong
}

func splitHostPort(text string) (host, port string, hasPort bool, wrong string) {
	switch {
	case text == "":
		return "", "", false, "It is empty."
	case strings.ContainsAny(text, " \t\r\n"):
		return "", "", false, "It holds white space."
	case strings.Contains(text, "://"):
		_, rest, _ := strings.Cut(text, "://")
		rest, _, _ = strings.Cut(rest, "/")
		return "", "", false, fmt.Sprintf("It has a scheme; leave it out: %q.", rest)
	case strings.Contains(text, "@"):
		return "", "", false, "It has user information before the @; leave that out."
	case strings.ContainsAny(text, "/?#"):
		return "", "", false, fmt.Sprintf("It has a path; leave it out: %q.", text[:strings.IndexAny(text, "/?#")])
	case strings.HasPrefix(text, "["):
		return splitBracketed(text)
	case strings.Count(text, ":") > 1:
		return "", "", false, unbracketed(text)
	}
	host, port, hasPort = strings.Cut(text, ":")
	return host, port, hasPort, ""
}

func splitBracketed(text string) (host, port string, hasPort bool, wrong string) {
	host, rest, closed := strings.Cut(text[1:], "]")
	if !closed {
		return "", "", false, "The closing ] is missing."
	}
	if addr, err := netip.ParseAddr(host); err != nil || !addr.Is6() {
		return "", "", false, fmt.Sprintf("Only an IPv6 address stands in brackets, and %q is none.", host)
	}
	if rest == "" {
		return host, "", false, ""
	}
	port, hasPort = strings.CutPrefix(rest, ":")
	if !hasPort {
		return "", "", false, fmt.Sprintf("After the ] comes a colon and the port, not %q.", rest)
	}
	return host, port, true, ""
}

// unbracketed has the remedy for an IPv6 address whose end cannot be told from a port.
func unbracketed(text string) string {
	if addr, err := netip.ParseAddr(text); err == nil && text != "::" && !strings.Contains(text, "::") {
		return fmt.Sprintf("An IPv6 address stands in brackets: \"[%s]\".", addr)
	}
	cut := strings.LastIndex(text, ":")
	if _, err := netip.ParseAddr(text[:cut]); err == nil {
		return fmt.Sprintf("An IPv6 address stands in brackets: \"[%s]:%s\".", text[:cut], text[cut+1:])
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return fmt.Sprintf("An IPv6 address stands in brackets: \"[%s]\".", text)
	}
	return "It has more than one colon; an IPv6 address stands in brackets, as in \"[2001:db8::1]:80\"."
}

func parsePort(text string) (uint16, string) {
	if text == "" {
		return 0, "The port after the colon is missing."
	}
	for _, r := range text {
		if r < '0' || r > '9' {
			return 0, fmt.Sprintf("The port %q is not a number, 1-65535.", text)
		}
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return 0, fmt.Sprintf("The port %s is not within 1-65535.", text)
	}
	if text[0] == '0' {
		return 0, fmt.Sprintf("The port %q starts with a zero; write %d.", text, number)
	}
	return uint16(number), ""
}

// canonicalHost is text as an IP address in canonical form or as a DNS name in lower case, or what is wrong with it.
func canonicalHost(text string) (string, string) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err == nil && addr.Zone() != "":
		return "", fmt.Sprintf("The zone %q means something on one machine only; leave it out.", "%"+addr.Zone())
	case err == nil:
		return addr.Unmap().String(), ""
	case text == "":
		return "", "The host before the colon is missing."
	case len(text) > 253:
		return "", "The name is longer than 253 characters."
	case strings.HasSuffix(text, "."):
		return "", fmt.Sprintf("The name ends with a dot; leave it out: %q.", strings.TrimRight(text, "."))
	}
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if wrong := wrongLabel(label); wrong != "" {
			return "", wrong
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", fmt.Sprintf("A name does not end with a number, and %q is not an IPv4 address (four numbers, 0-255, without leading zeros).", text)
	}
	return strings.ToLower(text), ""
}

// wrongLabel says what is wrong with one label of a DNS name. An underscore is no part of a host name by the letter
// of RFC 1123, but container networks and service records have them, and resolvers take them.
func wrongLabel(label string) string {
	switch {
	case label == "":
		return "The name has an empty part between two dots."
	case len(label) > 63:
		return fmt.Sprintf("The part %q of the name is longer than 63 characters.", label)
	case label[0] == '-' || label[len(label)-1] == '-':
		return fmt.Sprintf("The part %q of the name starts or ends with a hyphen.", label)
	}
	for _, r := range label {
		switch {
		case r >= 0x80:
			return fmt.Sprintf("The character %q is not ASCII; write the name's Punycode form, which starts with \"xn--\".", r)
		case !isAlphanumeric(r) && r != '-' && r != '_':
			return fmt.Sprintf("The character %q cannot stand in a host name.", r)
		}
	}
	return ""
}

func isAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || isLetter(r)
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
