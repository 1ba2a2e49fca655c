package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/config/lang"
)

// TestKeyForms reads each form of key that openssl writes.
func TestKeyForms(t *testing.T) {
	ec, rsa := newECDSA(), newRSA(2048)
	ecDER := must(x509.MarshalECPrivateKey(ec))
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte("curve")})
	for name, text := range map[string][]byte{
		"PKCS 8":                keyPEM(ec),
		"SEC 1":                 pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: ecDER}),
		"SEC 1 with parameters": append(parameters, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: ecDER})...),
		"PKCS 1":                pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsa)}),
		"P-521":                 keyPEM(must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))),
	} {
		key, signer, wrong := parseKey(text)
		if wrong != "" || signer == nil || bytes.Count(key, []byte("BEGIN")) != 1 {
			t.Errorf("%s: %q, %q", name, key, wrong)
		}
	}
}

// TestOtherCurves calls a key on a curve that Envoy does not take by its name, not damaged.
func TestOtherCurves(t *testing.T) {
	secp256k1 := asn1.ObjectIdentifier{1, 3, 132, 0, 10}
	inner := func(curve asn1.ObjectIdentifier) []byte {
		return must(asn1.Marshal(struct {
			Version    int
			PrivateKey []byte
			Curve      asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
		}{1, bytes.Repeat([]byte{7}, 32), curve}))
	}
	outer := must(asn1.Marshal(struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		PrivateKey []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: ellipticKey, Parameters: asn1.RawValue{FullBytes: must(asn1.Marshal(secp256k1))}}, inner(nil)}))
	for _, c := range []struct {
		block pem.Block
		want  string
	}{
		{pem.Block{Type: "EC PRIVATE KEY", Bytes: inner(secp256k1)}, "curve of the key is not supported"},
		{pem.Block{Type: "PRIVATE KEY", Bytes: outer}, "curve of the key is not supported"},
		{pem.Block{Type: "PRIVATE KEY", Bytes: outer[:len(outer)-1]}, "damaged"},
		{pem.Block{Type: "EC PRIVATE KEY", Bytes: outer}, "damaged"},
		{pem.Block{Type: "RSA PRIVATE KEY", Bytes: outer}, "damaged"},
	} {
		if _, _, wrong := parseKey(pem.EncodeToMemory(&c.block)); !strings.Contains(wrong, c.want) {
			t.Errorf("%s: %s", c.block.Type, wrong)
		}
	}
}

// TestKeyMessagesShowNothing damages a key in many places: whatever is said about it holds nothing of it.
func TestKeyMessagesShowNothing(t *testing.T) {
	key := keyPEM(newECDSA())
	block, _ := pem.Decode(key)
	lines := strings.Split(string(key), "\n")
	for i := range block.Bytes {
		damaged := slices.Clone(block.Bytes)
		damaged[i] ^= 0x55
		for _, kind := range []string{"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY"} {
			_, _, wrong := parseKey(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: damaged}))
			for _, line := range lines {
				if len(line) > 8 && strings.Contains(wrong, line) {
					t.Fatalf("the message shows the key: %s", wrong)
				}
			}
		}
	}
	for _, kind := range []string{"DSA PRIVATE KEY", "OPENSSH PRIVATE KEY"} {
		if _, signer, wrong := parseKey(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: block.Bytes})); signer != nil || !strings.Contains(wrong, "another kind") {
			t.Errorf("%s: %q", kind, wrong)
		}
	}
}

// TestServerNames follows Envoy: the common name counts only without any alternative name.
func TestServerNames(t *testing.T) {
	from, to := testNow.AddDate(0, -1, 0), testNow.AddDate(0, 1, 0)
	for _, c := range []struct {
		subject string
		names   []string
		want    []string
	}{
		{"cn.example.com", nil, []string{"cn.example.com"}},
		{"No host name", nil, []string{}},
		{"cn.example.com", []string{"B.example.com", "a.example.com", "b.example.com"}, []string{"a.example.com", "b.example.com"}},
	} {
		_, certificates, wrong := parseChain(newCertificate(newECDSA(), from, to, c.subject, c.names...))
		if wrong != "" {
			t.Fatal(wrong)
		}
		if got := serverNames(certificates[0]); !slices.Equal(got, c.want) {
			t.Errorf("%s with %q: %q, not %q", c.subject, c.names, got, c.want)
		}
	}
}

// TestCABundle takes a bundle of which some certificates are out of date, and one of which all are not.
func TestCABundle(t *testing.T) {
	good := newCertificate(newECDSA(), testNow.AddDate(-1, 0, 0), testNow.AddDate(1, 0, 0), "Good")
	old := newCertificate(newECDSA(), testNow.AddDate(-2, 0, 0), testNow.AddDate(-1, 0, 0), "Old")
	for name, c := range map[string]struct {
		text []byte
		ok   bool
	}{
		"both":    {append(slices.Clone(old), good...), true},
		"all old": {append(slices.Clone(old), old...), false},
		"old":     {old, false},
	} {
		_, certificates, wrong := parseChain(c.text)
		if wrong != "" {
			t.Fatal(wrong)
		}
		l := &loader{now: testNow}
		if l.warnOfCA(lang.Value[string]{V: "ca.crt"}, certificates, "nobody is verified"); (len(l.diags) == 0) != c.ok {
			t.Errorf("%s: %v", name, l.diags)
		}
	}
}

// TestValidityIsExact tries the seconds around both ends.
func TestValidityIsExact(t *testing.T) {
	from, to := testNow.AddDate(0, -1, 0), testNow.AddDate(0, 1, 0)
	_, certificates, _ := parseChain(newCertificate(newECDSA(), from, to, "x"))
	for _, c := range []struct {
		name string
		in   string
	}{
		{"before", outOfDate(certificates[0], from.Add(-1))},
		{"after", outOfDate(certificates[0], to.Add(1))},
	} {
		if c.in == "" {
			t.Errorf("valid %s its time", c.name)
		}
	}
	if wrong := outOfDate(certificates[0], from) + outOfDate(certificates[0], to); wrong != "" {
		t.Error(wrong)
	}
}

// TestWarningsOfDates: whatever the clock says, a certificate is used; what is said of it changes when its dates say so.
func TestWarningsOfDates(t *testing.T) {
	from, to := testNow.AddDate(0, 0, -100), testNow.AddDate(0, 0, 100)
	text := newCertificate(newECDSA(), from, to, "x")
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{time.Unix(0, 0), "not valid before"},
		{from.Add(-1), "not valid before"},
		{from, ""},
		{to.AddDate(0, 0, -20), ""},
		{to.AddDate(0, 0, -20).Add(1), "expires at"},
		{to, "expires at"},
		{to.Add(1), "expired at"},
		{to.AddDate(100, 0, 0), "expired at"},
	} {
		l := &loader{now: c.now}
		_, chain, _ := l.parseChain(text)
		l.warnOfDates(lang.Value[string]{V: "edge.crt"}, chain, "callers refuse it")
		got := ""
		for _, d := range l.diags {
			got += d.Detail
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("at %v: %q, want %q", c.now, got, c.want)
		}
		if c.now.Before(l.since) || !l.until.IsZero() && c.now.After(l.until) {
			t.Errorf("at %v: it holds from %v to %v", c.now, l.since, l.until)
		}
	}
}

// TestUnservable holds what Envoy refuses of certificates that are in date.
func TestUnservable(t *testing.T) {
	key := newECDSA()
	for want, c := range map[string]x509.Certificate{
		"must-staple":      {Subject: pkix.Name{CommonName: "a.test"}, PublicKey: &key.PublicKey, Extensions: []pkix.Extension{{Id: mustStaple}}},
		"digitalSignature": {Subject: pkix.Name{CommonName: "a.test"}, PublicKey: &key.PublicKey, KeyUsage: x509.KeyUsageCertSign},
		"names no server":  {Subject: pkix.Name{Organization: []string{"a"}}, PublicKey: &key.PublicKey, EmailAddresses: []string{"a@a.test"}},
	} {
		if got := unservable(&c); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
	good := x509.Certificate{DNSNames: []string{"a.test"}, PublicKey: &key.PublicKey, KeyUsage: x509.KeyUsageDigitalSignature}
	if got := unservable(&good); got != "" {
		t.Error(got)
	}
}
