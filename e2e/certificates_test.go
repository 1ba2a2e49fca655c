package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// authority is a private certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         string // as a ca_file holds it
}

// newAuthority makes one that nobody but the test trusts.
func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	a := &authority{key: newKey(t)}
	der := sign(t, template, template, a.key, a.key)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	a.certificate, a.pem = certificate, encode("CERTIFICATE", der)
	return a
}

// issue makes a server certificate for DNS names and IP addresses: chain and key, as PEM.
func (a *authority) issue(t *testing.T, names ...string) (chain, key string) {
	t.Helper()
	return a.issueFrom(t, time.Now().Add(-time.Hour), 25*time.Hour, names...)
}

// issueFrom is issue for a certificate that is valid at another time.
func (a *authority) issueFrom(t *testing.T, from time.Time, lifetime time.Duration, names ...string) (chain, key string) {
	t.Helper()
	template := &x509.Certificate{
		NotBefore:   from,
		NotAfter:    from.Add(lifetime),
		Subject:     pkix.Name{CommonName: names[0]},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	private := newKey(t)
	der := sign(t, template, a.certificate, private, a.key)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", encoded)
}

// client makes a certificate by which a caller shows who it is.
func (a *authority) client(t *testing.T, name string) tls.Certificate {
	t.Helper()
	private := newKey(t)
	der := sign(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.certificate, private, a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
}

// pair is issue for a server of the test's own.
func (a *authority) pair(t *testing.T, names ...string) tls.Certificate {
	t.Helper()
	chain, key := a.issue(t, names...)
	certificate, err := tls.X509KeyPair([]byte(chain), []byte(key))
	must(t, err)
	return certificate
}

// pool trusts the authority and no other.
func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

// sign fills in what all certificates share, and signs.
func sign(t *testing.T, template, parent *x509.Certificate, subject, issuer *ecdsa.PrivateKey) []byte {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	template.SerialNumber = serial
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &subject.PublicKey, issuer)
	must(t, err)
	return der
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// clientTLS is a caller of serverName who trusts the authority and no other.
func clientTLS(serverName string, trusted *authority) *tls.Config {
	return &tls.Config{ServerName: serverName, RootCAs: trusted.pool()}
}
