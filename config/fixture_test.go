package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/config/source"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// testNow is the time of every load in these tests, within the validity of their certificates.
var testNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// testFiles are the certificates and keys of the fixtures, by name below the root. They are made once per run.
var testFiles = sync.OnceValue(func() map[string][]byte {
	edgeKey, otherKey := newECDSA(), newECDSA()
	from, to := testNow.AddDate(0, -5, 0), testNow.AddDate(0, 5, 0)
	files := map[string][]byte{
		"tls/text.pem":       []byte("not PEM\n"),
		"tls/garbage.crt":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("garbage")}),
		"tls/passphrase.key": pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("locked")}),
		"tls/ca.crt":         newCertificate(newECDSA(), from, to, "Test CA"),
	}
	add := func(name string, key crypto.Signer, from, to time.Time, names ...string) {
		files["tls/"+name+".crt"] = newCertificate(key, from, to, "Test "+name, names...)
		files["tls/"+name+".key"] = keyPEM(key)
	}
	add("edge", edgeKey, from, to, "Shop.Example.com", "*.example.com")
	add("other", otherKey, from, to, "other.example.com")
	add("edge_again", otherKey, from, to, "api.example.com", "shop.example.com")
	add("nameless", otherKey, from, to)
	add("expired", edgeKey, from, testNow.AddDate(0, 0, -1), "shop.example.com")
	add("future", edgeKey, testNow.AddDate(0, 0, 1), to, "shop.example.com")
	add("soon", edgeKey, from, testNow.AddDate(0, 0, 1), "shop.example.com")
	add("ed25519", newEd25519(), from, to, "shop.example.com")
	add("rsa1024", newRSA(1024), from, to, "shop.example.com")
	files["tls/combined.pem"] = append(append([]byte("# edge\n"), files["tls/edge.key"]...), files["tls/edge.crt"]...)
	return files
})

// fromDir loads the directory as one whose PATH is not shown in messages.
func fromDir(t testing.TB, root string) *Result {
	t.Helper()
	snapshot, err := source.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return FromSnapshot(snapshot, Options{Now: testNow})
}

// writeFiles puts the files below a new directory, with the certificates.
func writeFiles(t testing.TB, files map[string][]byte) string {
	t.Helper()
	root := t.TempDir()
	for _, set := range []map[string][]byte{testFiles(), files} {
		for name, data := range set {
			path := filepath.Join(root, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func newECDSA() *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

func newEd25519() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func newRSA(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

// newCertificate makes a certificate that is its own issuer.
func newCertificate(key crypto.Signer, from, to time.Time, subject string, names ...string) []byte {
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: subject},
		NotBefore:             from,
		NotAfter:              to,
		DNSNames:              names,
		IsCA:                  len(names) == 0,
		BasicConstraintsValid: true,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(key any) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))})
}

// must is for what fails only when the machine does.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
