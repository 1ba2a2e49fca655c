package e2e

import (
	"crypto/x509"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// datedText is a listener with a certificate, in the instance of edgeText.
const datedText = `  listener "https" {
    address = "127.0.0.1"
    port    = <port>
    tls {
      certificate_file = "edge.crt"
      private_key_file = "edge.key"
    }
  }
`

// The machine's clock may not be moved by a test, so the dates move: a certificate that is not valid yet is what weir sees
// where the clock is behind, and one that has expired where it is ahead.
func certificateExpires(t *testing.T) result {
	s := newStand(t)
	ca, port := newAuthority(t, "clock"), freePort(t)
	s.more = fill(datedText, "port", port)
	issue := func(from time.Time, lifetime time.Duration) {
		chain, key := ca.issueFrom(t, from, lifetime, "shop.example.com")
		renameFile(t, filepath.Join(s.path, "edge.key"), key)
		renameFile(t, filepath.Join(s.path, "edge.crt"), chain)
	}
	issue(time.Now().Add(20*time.Second), time.Hour)
	renameFile(t, filepath.Join(s.path, "gateway.hcl"), s.text())
	s.start(t)
	l := press(t, s.call())
	awaitDates(t, s, port, "is not valid before")

	expires := time.Now().Add(3 * time.Second)
	issue(expires.Add(-time.Minute), time.Minute)
	awaitDates(t, s, port, "expired at")
	said := time.Since(expires)
	_, metrics, err := s.page("/metrics")
	must(t, err)
	must(t, containsAll(metrics, `weir_certificate_expiration_timestamp_seconds{file="edge.crt",kind="instance",name="edge"} 1.`))

	issue(time.Now().Add(-time.Minute), time.Hour)
	awaitDates(t, s, port, "")
	return result{l.release().none(t), fmt.Sprintf("weir says that it has expired %v after it has", round(said))}
}

// awaitDates waits until weir says something of the certificate, or nothing, and holds that it is shown and that an edit is live.
func awaitDates(t *testing.T, s *stand, port int, words string) {
	t.Helper()
	eventually(t, startBound, "weir says "+words, func() error {
		now, err := s.status()
		if err != nil {
			return err
		}
		report := now.LastAttempt.Report
		return hold(strings.Contains(report, words) && (words != "" || report == ""), "it says %q", report)
	})
	var shown *x509.Certificate
	eventually(t, startBound, "the certificate is shown", func() (err error) {
		shown, err = handshake(port, "", nil)
		return err
	})
	must(t, hold(shown.Subject.CommonName == "shop.example.com", "%s is shown", shown.Subject))
	s.next(t)
	s.newest(t)
}
