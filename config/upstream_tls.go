package config

import (
	"crypto/ecdsa"
	"crypto/x509"
	"slices"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

// decodeUpstreamTLS reads how an upstream's nodes prove who they are, and how Envoy does.
func (l *loader) decodeUpstreamTLS(body *lang.Body, protocol lang.Value[model.Protocol]) *model.UpstreamTLS {
	file, sni, insecure := body.String("ca_file"), body.String("sni"), body.Bool("insecure_skip_verify")
	out := &model.UpstreamTLS{
		Client:             l.decodeClientCertificate(body),
		MinVersion:         choice(l, body.String("min_version"), model.TLS12, model.TLS12, model.TLS13).V,
		CAFile:             file.Or(""),
		InsecureSkipVerify: insecure.Or(false),
		Place:              body.Place(),
	}
	if protocol.Valid() && !protocol.V.Secure() {
		l.report(ruleValue, body.DefRange, "TLS settings of an upstream without TLS",
			"The protocol of this upstream is %q, so its nodes are called without TLS. Write protocol = \"%ss\", or remove the tls block.", protocol.V, protocol.V)
	}
	if text, ok := l.read(file, "ca_file"); ok {
		chain, certificates, wrong := l.parseChain(text)
		if wrong != "" {
			l.report(ruleCertificate, file.Range, "Unusable CA file", "%s cannot be used to verify nodes. %s", file.V, wrong)
		}
		l.warnOfCA(file, certificates, "requests to these nodes are answered 503")
		out.CA = chain
	}
	if sni.Valid() {
		name, _ := canonicalHost(sni.V)
		if wrong := mend(sni.V, wrongServerName); wrong != "" {
			l.blame(sni, &fault{ruleValue, "Invalid server name", "is not a name that a certificate can be checked against.", wrong,
				"It is a DNS name or an IP address, without a port."})
		}
		out.SNI = name
	}
	if insecure.Or(false) {
		l.diags = append(l.diags, lang.Warning(ruleInsecure, insecure.Range, "Certificates of the nodes are not checked",
			"With insecure_skip_verify = true whoever answers at a node's address is taken for the node: the connection is encrypted, and its other end is unknown. Where the nodes' certificates come from a CA of your own, name its file in ca_file instead; where they carry another name, say that in sni."))
	}
	if insecure.Or(false) && file.Said() {
		l.diags = append(l.diags, lang.Warning(ruleInsecure, file.Range, "CA file that is not used",
			"insecure_skip_verify = true accepts every certificate, so nothing is verified with this file. Remove one of the two."))
	}
	return out
}

// decodeClientCertificate reads what Envoy shows to nodes. It is nil where nothing is said, or something wrong.
func (l *loader) decodeClientCertificate(body *lang.Body) *model.Certificate {
	file, keyFile := body.String("client_certificate_file"), body.String("client_key_file")
	switch {
	case !file.Said() && !keyFile.Said():
		return nil
	case !file.Said():
		l.report(lang.RuleMissing, keyFile.Range, "Key without a certificate", "client_key_file is the key of a certificate, and client_certificate_file, which names that, is missing. Add it, or remove the key.")
		return nil
	case !keyFile.Said():
		l.report(lang.RuleMissing, file.Range, "Certificate without a key", "Envoy shows a certificate together with a proof that it has the key, and client_key_file, which names that, is missing. Add it, or remove the certificate.")
		return nil
	}
	chain, certificates := l.readClientChain(file)
	text, ok := l.read(keyFile, "client_key_file")
	if !ok {
		return nil
	}
	key, signer, wrong := parseKey(text)
	switch {
	case wrong != "":
		l.report(ruleCertificate, keyFile.Range, "Unusable private key", "%s cannot be used. %s", keyFile.V, wrong)
		return nil
	case certificates == nil:
		return nil
	case !belongsTo(signer, certificates[0]):
		l.report(ruleCertificate, keyFile.Range, "Key and certificate do not belong together",
			"%s is not the key of the first certificate in %s. The first certificate is Envoy's own, followed by those of its issuers. Compare the public keys: openssl x509 -in CERTIFICATE -noout -pubkey; openssl pkey -in KEY -pubout.", keyFile.V, file.V)
		return nil
	}
	return &model.Certificate{
		CertificateFile: file.V, PrivateKeyFile: keyFile.V, Chain: chain, PrivateKey: key, NotAfter: validUntil(certificates), Place: body.Place(),
	}
}

// readClientChain returns no certificates when the file cannot be shown. The first is the leaf.
func (l *loader) readClientChain(file lang.Value[string]) (chain []byte, certificates []*x509.Certificate) {
	text, ok := l.read(file, "client_certificate_file")
	if !ok {
		return nil, nil
	}
	chain, certificates, wrong := l.parseChain(text)
	if wrong == "" {
		wrong = unusableKey(certificates[0])
	}
	if wrong != "" {
		l.report(ruleCertificate, file.Range, "Unusable certificate", "%s cannot be shown to nodes. %s", file.V, wrong)
		return nil, nil
	}
	l.warnOfDates(file, certificates, "nodes that check it refuse the connection")
	if !forClients(certificates[0]) {
		l.diags = append(l.diags, lang.Warning(ruleCertificate, file.Range, "Certificate that is not for clients",
			file.V+" holds a certificate for other uses than that of a client, and most nodes refuse it. Have it issued with clientAuth (extended key usage)."))
	}
	return chain, certificates
}

// unusableKey says why Envoy would refuse a certificate that is in date.
func unusableKey(c *x509.Certificate) string {
	if _, elliptic := c.PublicKey.(*ecdsa.PublicKey); elliptic && c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return "The certificate's key usage does not allow digital signatures, without which an ECDSA key is of no use for TLS. Have it issued with digitalSignature."
	}
	return ""
}

// forClients tells whether a certificate is meant for callers, as far as it says.
func forClients(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage) == 0 || slices.ContainsFunc(c.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		return u == x509.ExtKeyUsageClientAuth || u == x509.ExtKeyUsageAny
	})
}
