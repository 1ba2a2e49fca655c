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

// parseHostPort reads "host" or "host:port".
func parseHostPort(text string) (hostPort, slip) {
	host, port, hasPort, wrong := splitHostPort(text)
	if wrong.wrong != "" {
		return hostPort{}, wrong
	}
	out := hostPort{hasPort: hasPort}
	if hasPort && host == "" {
		return hostPort{}, slip{wrong: "The host before the colon is missing."}
	}
	if hasPort {
		number, wrong := parsePort(port)
		if wrong.wrong != "" {
			if wrong.instead != "" {
				wrong.instead = strings.TrimSuffix(text, port) + wrong.instead
			}
			return hostPort{}, wrong
		}
		out.port = number
	}
	out.host, wrong = canonicalHost(host)
	if wrong.instead != "" {
		wrong.instead = hostPort{wrong.instead, out.port, hasPort}.String()
	}
	return out, wrong
}

func splitHostPort(text string) (host, port string, hasPort bool, wrong slip) {
	refuse := func(wrong, instead string) (string, string, bool, slip) { return "", "", false, slip{wrong, instead} }
	switch {
	case text == "":
		return refuse("It is empty.", "")
	case strings.ContainsAny(text, " \t\r\n"):
		return refuse("It holds white space.", strings.TrimSpace(text))
	case strings.Contains(text, "://"):
		_, rest, _ := strings.Cut(text, "://")
		return refuse("It has a scheme; leave that out.", rest)
	case strings.ContainsAny(text[:1], "/?#"):
		return refuse("The host is missing.", "")
	case strings.ContainsAny(text, "/?#"):
		return refuse("It goes on after the host; leave that out.", text[:strings.IndexAny(text, "/?#")])
	case strings.Contains(text, "@"):
		return refuse("It has user information before the @; leave that out.", text[strings.LastIndex(text, "@")+1:])
	case strings.HasPrefix(text, "["):
		return splitBracketed(text)
	case strings.Count(text, ":") > 1:
		return "", "", false, unbracketed(text)
	}
	host, port, hasPort = strings.Cut(text, ":")
	return host, port, hasPort, slip{}
}

func splitBracketed(text string) (host, port string, hasPort bool, wrong slip) {
	refuse := func(wrong string) (string, string, bool, slip) { return "", "", false, slip{wrong: wrong} }
	host, rest, closed := strings.Cut(text[1:], "]")
	if !closed {
		return refuse("The closing ] is missing.")
	}
	if addr, err := netip.ParseAddr(host); err != nil || !addr.Is6() {
		return refuse(fmt.Sprintf("Only an IPv6 address stands in brackets, and %q is none.", host))
	}
	if rest == "" {
		return host, "", false, slip{}
	}
	port, hasPort = strings.CutPrefix(rest, ":")
	if !hasPort {
		return refuse(fmt.Sprintf("After the ] comes a colon and the port, not %q.", rest))
	}
	return host, port, true, slip{}
}

// unbracketed has the remedy for an IPv6 address whose end cannot be told from a port.
func unbracketed(text string) slip {
	const wrong = "An IPv6 address stands in brackets."
	if addr, err := netip.ParseAddr(text); err == nil && text != "::" && !strings.Contains(text, "::") {
		return slip{wrong, fmt.Sprintf("[%s]", addr)}
	}
	cut := strings.LastIndex(text, ":")
	if _, err := netip.ParseAddr(text[:cut]); err == nil {
		return slip{wrong, fmt.Sprintf("[%s]:%s", text[:cut], text[cut+1:])}
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return slip{wrong, fmt.Sprintf("[%s]", text)}
	}
	return slip{wrong: "It has more than one colon; an IPv6 address stands in brackets, as in \"[2001:db8::1]:80\"."}
}

// parsePort reads a port. What to write instead is a port too.
func parsePort(text string) (uint16, slip) {
	if text == "" {
		return 0, slip{wrong: "The port after the colon is missing."}
	}
	for _, r := range text {
		if r < '0' || r > '9' {
			return 0, slip{wrong: fmt.Sprintf("The port %q is not a number, 1-65535.", text)}
		}
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return 0, slip{wrong: fmt.Sprintf("The port %s is not within 1-65535.", text)}
	}
	if text[0] == '0' {
		return 0, slip{fmt.Sprintf("The port %q starts with a zero.", text), strconv.FormatUint(number, 10)}
	}
	return uint16(number), slip{}
}

// canonicalHost is text as an IP address in canonical form or as a DNS name in lower case, or what is wrong with it.
func canonicalHost(text string) (string, slip) {
	refuse := func(wrong, instead string) (string, slip) { return "", slip{wrong, instead} }
	addr, err := netip.ParseAddr(text)
	switch {
	case err == nil && addr.Zone() != "":
		return refuse(fmt.Sprintf("The zone %q means something on one machine only; leave it out.", "%"+addr.Zone()), addr.WithZone("").String())
	case err == nil:
		return addr.Unmap().String(), slip{}
	case text == "":
		return refuse("It is empty.", "")
	case len(text) > 253:
		return refuse("The name is longer than 253 characters.", "")
	case strings.HasSuffix(text, "."):
		return refuse("The name ends with a dot; leave that out.", strings.TrimRight(text, "."))
	}
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if wrong := wrongLabel(label); wrong != "" {
			return refuse(wrong, "")
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return refuse(fmt.Sprintf("A name does not end with a number, and %q is not an IPv4 address (four numbers, 0-255, without leading zeros).", text), "")
	}
	return strings.ToLower(text), slip{}
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

// uncallable says why no server answers at an address of IP, or "".
func uncallable(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return ""
	case addr.IsUnspecified():
		return fmt.Sprintf("%s is not an address that can be called; of this machine it is 127.0.0.1 or [::1].", addr)
	case addr.IsMulticast():
		return fmt.Sprintf("%s is a multicast address, which stands for a group of machines; no single server can be called there.", addr)
	case addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Sprintf("%s is the broadcast address, which stands for all machines of a network; no single server can be called there.", addr)
	}
	return ""
}

func isAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || isLetter(r)
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
