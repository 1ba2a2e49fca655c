package envoy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"time"
)

// caFiles are where systems keep the CAs that they trust, as one PEM file.
var caFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, distroless images
	"/etc/ssl/cert.pem",                                 // Alpine, macOS
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Red Hat, Fedora
	"/etc/pki/tls/certs/ca-bundle.crt",                  // older Red Hat
	"/etc/ssl/ca-bundle.pem",                            // SUSE
}

// SystemCAFile is the file of the CAs that this machine trusts: SSL_CERT_FILE, as OpenSSL and Go read it, else the first
// of the usual places that exists, else "". It describes this machine: for an Envoy elsewhere its own path must be told.
func SystemCAFile() string {
	return systemCAFile(os.Getenv("SSL_CERT_FILE"), caFiles)
}

// systemCAFile takes what was said without a look, so that a wrong name is Envoy's error and not silently another file.
func systemCAFile(said string, places []string) string {
	if said != "" {
		return said
	}
	for _, file := range places {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	return ""
}

// throwawayCA is a certificate in PEM form that signs itself and whose key is forgotten.
func throwawayCA() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "throwaway"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
