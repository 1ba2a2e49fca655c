package config

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

type instance struct {
	model     *model.Instance
	kind      lang.Value[model.InstanceType]
	vpc       lang.Value[lang.Ref]
	listeners []listener
	head      hcl.Range
}

type listener struct {
	model *model.Listener
	at    hcl.Range // where the port stands
	bound bool      // address and port are known
}

func (l *loader) decodeInstance(block *lang.Block, body *lang.Body) *instance {
	out := &instance{
		head: block.DefRange,
		kind: choice(l, body.String("type"), model.Dedicated, model.Dedicated, model.Shared),
		vpc:  body.Ref("vpc"),
	}
	out.model = &model.Instance{
		Name:        block.Name,
		Description: body.String("description").Or(""),
		Type:        out.kind.V,
		VPC:         out.vpc.V.Name,
		Listeners:   map[string]*model.Listener{},
		Place:       block.Place(),
	}
	l.checkInstanceVPC(out)
	for _, inner := range body.Blocks("listener") {
		one := l.decodeListener(inner)
		out.listeners = append(out.listeners, one)
		if inner.Label.Valid() {
			out.model.Listeners[inner.Label.V] = one.model
		}
	}
	l.checkPorts(out)
	for _, inner := range body.Blocks("access_log") {
		out.model.AccessLog = l.decodeAccessLog(inner)
	}
	for _, inner := range body.Blocks("tracing") {
		out.model.Tracing = l.decodeTracing(inner)
	}
	return out
}

func (l *loader) checkInstanceVPC(in *instance) {
	switch {
	case in.kind.State == lang.Invalid:
	case in.kind.V == model.Shared && in.vpc.Said():
		l.report(ruleInstance, in.vpc.Range, "Shared instance with a VPC",
			"A shared instance lives in no VPC and cannot use VPC upstreams. Remove vpc, or leave out type = \"shared\".")
	case in.kind.V == model.Dedicated && !in.vpc.Said():
		l.report(ruleInstance, in.head, "Missing VPC",
			"A dedicated instance lives in one VPC, and instance %q says none. Write vpc = vpc.NAME%s, or type = \"shared\" for an instance that lives in none and cannot use VPC upstreams.",
			in.model.Name, l.knownVPCs())
	}
}

func (l *loader) knownVPCs() string {
	blocks := l.module.Blocks(kindVPC)
	names := make([]string, 0, len(blocks))
	for _, b := range blocks {
		names = append(names, b.Name)
	}
	if len(names) == 0 || len(names) > 5 {
		return ""
	}
	return fmt.Sprintf(" (there is %s)", list(names, "and"))
}

func (l *loader) decodeListener(body *lang.Body) listener {
	port, address := body.Int("port"), body.String("address")
	out := listener{at: port.Range, bound: port.Valid() && address.State != lang.Invalid, model: &model.Listener{
		Name:        body.Label.V,
		Description: body.String("description").Or(""),
		Address:     netip.IPv4Unspecified(),
		Place:       body.Place(),
	}}
	if port.Valid() {
		if port.V < 1 || port.V > 65535 {
			out.bound = false
			l.report(ruleValue, port.Range, "Invalid port", "%d is not a port. A port is a whole number, 1-65535.", port.V)
		}
		out.model.Port = uint16(port.V)
	}
	if address.Valid() {
		addr, wrong := listenAddress(address.V)
		if wrong != "" {
			out.bound = false
			l.blame(address, &fault{ruleValue, "Invalid listener address", "is not an address to listen on.", wrong,
				"The address is an IP address of Envoy's machine; \"0.0.0.0\", the default, is all of its IPv4 addresses, and \"::\" all of its addresses, IPv6 and IPv4."})
		}
		out.model.Address = addr
	}
	out.model.Certificates = l.decodeCertificates(body.Blocks("tls"))
	out.model.TLS = l.decodeListenerTLS(body)
	l.decodeListenerSettings(body, out.model)
	for _, inner := range body.Blocks("http3") {
		out.model.HTTP3 = l.decodeHTTP3(body, inner, out.model.Port)
	}
	return out
}

func listenAddress(text string) (netip.Addr, string) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err == nil && addr.Zone() != "":
		return netip.Addr{}, "A zone means something on one machine only; leave it out."
	case err == nil && !addr.IsUnspecified() && uncallable(text) != "":
		return netip.Addr{}, "It is the address of no machine: it stands for several."
	case err == nil:
		return addr.Unmap(), ""
	}
	if parsed, wrong := parseHostPort(text); wrong.wrong == "" && parsed.hasPort {
		return netip.Addr{}, "The port stands in the attribute port; leave it out here."
	}
	return netip.Addr{}, "It is not an IP address."
}

// checkPorts holds the second half of rule 6: each listener of an instance has an address and port of its own.
func (l *loader) checkPorts(in *instance) {
	for i, second := range in.listeners {
		for _, first := range in.listeners[:i] {
			if !first.bound || !second.bound || first.model.Port != second.model.Port || !sameSocket(first.model.Address, second.model.Address) {
				continue
			}
			l.report(rulePort, second.at, "Two listeners on one address and port",
				"Listener %q takes %s, and so does listener %q (%s), on %s. Each listener of an instance has an address and port of its own; change the port of one. One listener serves any number of services, and, with several tls blocks, any number of certificates.",
				second.model.Name, netip.AddrPortFrom(second.model.Address, second.model.Port), first.model.Name, place(first.at), netip.AddrPortFrom(first.model.Address, first.model.Port))
			break
		}
	}
}

// sameSocket tells whether two addresses cannot be bound with one port: they are the same, or one of them is all
// addresses, "0.0.0.0" those of IPv4 and "::" those of both families.
func sameSocket(a, b netip.Addr) bool {
	covers := func(all, one netip.Addr) bool { return all.IsUnspecified() && (all.Is6() || one.Is4()) }
	return a == b || covers(a, b) || covers(b, a)
}

func (l *loader) decodeCertificates(bodies []*lang.Body) []model.Certificate {
	var out []model.Certificate
	names := map[string]hcl.Range{}
	for i, body := range bodies {
		certificate, ok := l.decodeCertificate(body)
		if !ok {
			continue
		}
		out = append(out, certificate)
		file := body.String("certificate_file").Range
		if len(certificate.ServerNames) == 0 && i > 0 {
			l.report(ruleCertificate, file, "Certificate that is never chosen",
				"%s has no DNS name (subject alternative name), and only the first tls block of a listener can do without: the others are chosen by the name that the caller asks for. Remove this block, or move it to the front.", certificate.CertificateFile)
		}
		for _, name := range certificate.ServerNames {
			if first, taken := names[name]; taken {
				l.report(ruleCertificate, file, "Two certificates for one name",
					"%s is for %q, and so is the certificate of another tls block of this listener (%s). The name that the caller asks for (SNI) chooses the certificate, so each name stands in one. Remove one of the blocks.", certificate.CertificateFile, name, place(first))
				break
			}
		}
		for _, name := range certificate.ServerNames {
			if _, taken := names[name]; !taken {
				names[name] = file
			}
		}
	}
	return out
}

func (l *loader) decodeCertificate(body *lang.Body) (model.Certificate, bool) {
	file, keyFile := body.String("certificate_file"), body.String("private_key_file")
	out := model.Certificate{CertificateFile: file.V, PrivateKeyFile: keyFile.V, Place: body.Place()}
	chain, certificates := l.readChain(file)
	key, signer := l.readKey(keyFile)
	if certificates == nil || signer == nil {
		return out, false
	}
	leaf := certificates[0]
	if !belongsTo(signer, leaf) {
		l.report(ruleCertificate, keyFile.Range, "Key and certificate do not belong together",
			"%s is not the key of the first certificate in %s. The first certificate is the server's own, followed by those of its issuers. Compare the public keys: openssl x509 -in CERTIFICATE -noout -pubkey; openssl pkey -in KEY -pubout.", keyFile.V, file.V)
		return out, false
	}
	out.Chain, out.PrivateKey, out.ServerNames, out.NotAfter = chain, key, serverNames(leaf), validUntil(certificates)
	return out, true
}

// readChain returns no certificates when the file cannot be served. The first is the leaf.
func (l *loader) readChain(file lang.Value[string]) (chain []byte, certificates []*x509.Certificate) {
	text, ok := l.read(file, "certificate_file")
	if !ok {
		return nil, nil
	}
	chain, certificates, wrong := l.parseChain(text)
	if wrong == "" {
		wrong = unservable(certificates[0])
	}
	if wrong != "" {
		l.report(ruleCertificate, file.Range, "Unusable certificate", "%s cannot be served. %s", file.V, wrong)
		return nil, nil
	}
	l.warnOfDates(file, certificates, "callers who check it refuse the connection")
	return chain, certificates
}

// readKey returns no signer when the file cannot be used.
func (l *loader) readKey(file lang.Value[string]) (key model.Secret, signer crypto.Signer) {
	text, ok := l.read(file, "private_key_file")
	if !ok {
		return nil, nil
	}
	key, signer, wrong := parseKey(text)
	if wrong != "" {
		l.report(ruleCertificate, file.Range, "Unusable private key", "%s cannot be used. %s", file.V, wrong)
		return nil, nil
	}
	return key, signer
}

// read reads the file that an attribute names.
func (l *loader) read(v lang.Value[string], attribute string) ([]byte, bool) {
	if !v.Valid() {
		return nil, false
	}
	if v.V == "" {
		l.report(ruleValue, v.Range, "Missing file name", "%s is empty. It names a file, relative to the configuration's root, or absolute.", attribute)
		return nil, false
	}
	abs, text, err := l.module.ReadFile(v.V)
	if err != nil {
		looked := ""
		if abs != v.V {
			looked = fmt.Sprintf(" This one was looked for at %s.", abs)
		}
		l.report(ruleCertificate, v.Range, "File that cannot be read", "%s: %s %s names a file by an absolute path, or by one that starts at the configuration's root.%s", v.V, readWords(err), attribute, looked)
		return nil, false
	}
	return text, true
}

// listenerNames are the names of an instance's listeners, sorted.
func (in *instance) listenerNames() []string {
	var names []string
	for _, one := range in.listeners {
		if one.model.Name != "" {
			names = append(names, one.model.Name)
		}
	}
	slices.Sort(names)
	return names
}
