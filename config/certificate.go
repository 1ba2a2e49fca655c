package config

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/weirproxy/weir/config/lang"
)

// What may not be said in a message about a key file is anything of its content: the functions here speak of block
// types and sizes only, and never pass on an error of the key parser.

// parseChain reads the certificates of a PEM file and returns them again as PEM, without what stood around them: a
// file that also holds the key does not carry it into the chain.
func parseChain(text []byte) (chain []byte, certificates []*x509.Certificate, wrong string) {
	var out bytes.Buffer
	for rest := text; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Sprintf("Its %s certificate cannot be parsed: %s.", ordinal(len(certificates)+1), err)
		}
		certificates = append(certificates, certificate)
		_ = pem.Encode(&out, &pem.Block{Type: block.Type, Bytes: block.Bytes}) // a buffer takes every write
	}
	if len(certificates) == 0 {
		return nil, nil, "It holds no certificate: a line \"-----BEGIN CERTIFICATE-----\" is expected (PEM)."
	}
	return out.Bytes(), certificates, ""
}

// parseChain notes, beside, when what is said of the certificates' dates will not hold any more.
func (l *loader) parseChain(text []byte) (chain []byte, certificates []*x509.Certificate, wrong string) {
	chain, certificates, wrong = parseChain(text)
	for _, c := range certificates {
		for _, at := range []time.Time{c.NotBefore, renewedBefore(c), c.NotAfter} {
			switch {
			case at.Before(l.now) && at.After(l.since):
				l.since = at
			case !at.Before(l.now) && (l.until.IsZero() || at.Before(l.until)):
				l.until = at
			}
		}
	}
	return chain, certificates, wrong
}

// parseKey finds the private key of a PEM file. It returns the key alone as PEM, and parsed.
func parseKey(text []byte) (key []byte, signer crypto.Signer, wrong string) {
	for rest := text; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil:
			return nil, nil, "It holds no private key: a line \"-----BEGIN PRIVATE KEY-----\" is expected (PEM)."
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			continue
		case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
			return nil, nil, "The private key is protected by a passphrase. Write it without one: openssl pkey -in KEY -out KEY.plain."
		}
		signer, wrong = parseSigner(block)
		return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}), signer, wrong
	}
}

// parseSigner parses a key and says whether Envoy takes it.
func parseSigner(block *pem.Block) (crypto.Signer, string) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	}
	if err != nil && onOtherCurve(block) {
		return nil, "The curve of the key is not supported: Envoy takes ECDSA keys on P-256, P-384 and P-521, and RSA keys of 2048 bits or more."
	}
	if err != nil {
		return nil, "The private key cannot be parsed: what stands between its first and last line is damaged, or not what the first line says."
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < 2048 {
			return nil, fmt.Sprintf("The RSA key has %d bits, and Envoy takes 2048 or more.", bits)
		}
		return k, ""
	case *ecdsa.PrivateKey:
		if bits := k.Params().BitSize; bits < 256 {
			return nil, fmt.Sprintf("The curve of the key has %d bits, and Envoy takes P-256, P-384 and P-521.", bits)
		}
		return k, ""
	}
	return nil, "Envoy takes RSA and ECDSA keys, and this is another kind."
}

// The object identifiers of keys on elliptic curves, and of the curves that the key parser knows.
var (
	ellipticKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	knownCurves = []asn1.ObjectIdentifier{{1, 3, 132, 0, 33}, {1, 2, 840, 10045, 3, 1, 7}, {1, 3, 132, 0, 34}, {1, 3, 132, 0, 35}}
)

// onOtherCurve tells whether a key that cannot be parsed is whole, and only its curve is unknown.
func onOtherCurve(block *pem.Block) bool {
	var curve asn1.ObjectIdentifier
	switch block.Type {
	case "PRIVATE KEY":
		var key struct {
			Version    int
			Algorithm  pkix.AlgorithmIdentifier
			PrivateKey []byte
			Attributes asn1.RawValue `asn1:"optional,tag:0"`
		}
		if _, err := asn1.Unmarshal(block.Bytes, &key); err != nil || !key.Algorithm.Algorithm.Equal(ellipticKey) {
			return false
		}
		if _, err := asn1.Unmarshal(key.Algorithm.Parameters.FullBytes, &curve); err != nil {
			return false
		}
	case "EC PRIVATE KEY":
		var key struct {
			Version    int
			PrivateKey []byte
			Curve      asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
			PublicKey  asn1.BitString        `asn1:"optional,explicit,tag:1"`
		}
		if _, err := asn1.Unmarshal(block.Bytes, &key); err != nil {
			return false
		}
		curve = key.Curve
	}
	return curve != nil && !slices.ContainsFunc(knownCurves, curve.Equal)
}

// belongsTo tells whether a key is that of a certificate.
func belongsTo(key crypto.Signer, certificate *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(certificate.PublicKey)
}

// outOfDate says why a certificate is not valid at the time.
func outOfDate(c *x509.Certificate, now time.Time) string {
	switch name := certificateName(c); {
	case now.After(c.NotAfter):
		return fmt.Sprintf("The certificate of %q expired at %s.", name, c.NotAfter.UTC().Format(dateForm))
	case now.Before(c.NotBefore):
		return fmt.Sprintf("The certificate of %q is not valid before %s.", name, c.NotBefore.UTC().Format(dateForm))
	}
	return ""
}

// dateForm is how messages write the dates of certificates.
const dateForm = "2006-01-02 15:04:05 MST"

// certificateName is what people know a certificate by.
func certificateName(c *x509.Certificate) string {
	if c.Subject.CommonName == "" && len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return c.Subject.CommonName
}

// mustStaple is the extension by which a certificate asks for a stapled OCSP answer.
var mustStaple = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

// unservable says why Envoy would refuse a server's certificate that is in date.
func unservable(c *x509.Certificate) string {
	_, elliptic := c.PublicKey.(*ecdsa.PublicKey)
	switch {
	case slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(mustStaple) }):
		return "The certificate must be served with an OCSP answer (must-staple), which weir does not have. Have it issued without that extension."
	case elliptic && c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return "The certificate's key usage does not allow digital signatures, without which an ECDSA key is of no use for TLS. Have it issued with digitalSignature."
	case c.Subject.CommonName == "" && len(c.DNSNames) == 0 && len(c.IPAddresses) == 0:
		return "The certificate names no server: it has no DNS name, no IP address and no common name. Have it issued for the names that callers use."
	}
	return ""
}

// subjectAltName is the extension that holds a certificate's names.
var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// serverNames are the names by which SNI can choose the certificate. As in Envoy, the subject's common name counts
// only where the certificate has no subject alternative names at all.
func serverNames(c *x509.Certificate) []string {
	names := make([]string, 0, len(c.DNSNames))
	if !slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(subjectAltName) }) {
		if name, wrong := canonicalHost(c.Subject.CommonName); wrong.wrong == "" {
			names = append(names, name)
		}
	}
	for _, name := range c.DNSNames {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// validUntil is when the first of a chain expires.
func validUntil(chain []*x509.Certificate) time.Time {
	first := chain[0].NotAfter
	for _, c := range chain[1:] {
		if c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first
}

// renewedBefore is when a certificate should have been renewed: nine tenths of its lifetime have passed, whether that is a
// day or a year. Whatever renews certificates by itself does it long before.
func renewedBefore(c *x509.Certificate) time.Time {
	return c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 10)
}

// warnOfDates warns of a chain that is not valid now, and says what follows, or that will not be soon. It is no error: time
// alone must not have a configuration refused that serves, with all edits of other things.
func (l *loader) warnOfDates(file lang.Value[string], chain []*x509.Certificate, follows string) {
	for _, c := range chain {
		if wrong := outOfDate(c, l.now); wrong != "" {
			l.diags = append(l.diags, lang.Warning(ruleCertificate, file.Range, "Certificate that is out of date",
				fmt.Sprintf("%s: %s It is used all the same, and %s. Renew it; the new file is taken by itself.", file.V, wrong, follows)))
			return
		}
	}
	for _, c := range chain {
		if l.now.After(renewedBefore(c)) {
			l.diags = append(l.diags, lang.Warning(ruleCertificate, file.Range, "Certificate that expires soon",
				fmt.Sprintf("%s: The certificate of %q expires at %s, and nine tenths of its lifetime have passed. Then %s. Renew it; the new file is taken by itself.",
					file.V, certificateName(c), c.NotAfter.UTC().Format(dateForm), follows)))
			return
		}
	}
}

// warnOfCA warns of a file with which nothing can be verified: some of a bundle may be out of date, all may not.
func (l *loader) warnOfCA(file lang.Value[string], certificates []*x509.Certificate, follows string) {
	if len(certificates) == 0 {
		return // there is a worse message
	}
	var wrong string
	for _, c := range certificates {
		if wrong = outOfDate(c, l.now); wrong == "" {
			return
		}
	}
	if len(certificates) > 1 {
		wrong = fmt.Sprintf("None of its %d certificates is valid now. %s", len(certificates), wrong)
	}
	l.diags = append(l.diags, lang.Warning(ruleCertificate, file.Range, "CA file that is out of date",
		fmt.Sprintf("%s: %s It is used all the same, and %s. Renew it; the new file is taken by itself.", file.V, wrong, follows)))
}

// readWords is an error of reading a file without the path, which the message names once.
func readWords(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "There is no such file."
	case errors.Is(err, fs.ErrPermission):
		return "The file may not be read: permission denied."
	case errors.As(err, &path):
		return fmt.Sprintf("It cannot be read: %s.", path.Err)
	}
	return fmt.Sprintf("It cannot be read: %s.", err)
}

func ordinal(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
		return fmt.Sprintf("%dth", n)
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}
