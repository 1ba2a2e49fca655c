package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirproxy/weir/model"
)

// expirations is a collector of when the certificates that serve expire. It asks at each scrape, so that one that was renewed
// or removed is no longer there as it was.
type expirations func() *State

var expiration = prometheus.NewDesc("weir_certificate_expiration_timestamp_seconds",
	"When the first certificate of a file's chain expires, by the block that names the file.", []string{"kind", "name", "file"}, nil)

// certificateUse is a file in a block: a series of its own.
type certificateUse struct{ kind, name, file string }

// Describe is prometheus.Collector's.
func (e expirations) Describe(ch chan<- *prometheus.Desc) { ch <- expiration }

// Collect is prometheus.Collector's.
func (e expirations) Collect(ch chan<- prometheus.Metric) {
	s := e()
	if s.Configuration == nil {
		return
	}
	uses := map[certificateUse]*model.Certificate{} // several listeners of an instance may use one file
	for name, i := range s.Configuration.Instances {
		for _, l := range i.Listeners {
			for n := range l.Certificates {
				uses[certificateUse{"instance", name, s.masked(l.Certificates[n].CertificateFile)}] = &l.Certificates[n]
			}
		}
	}
	for name, u := range s.Configuration.Upstreams {
		if u.TLS != nil && u.TLS.Client != nil {
			uses[certificateUse{"upstream", name, s.masked(u.TLS.Client.CertificateFile)}] = u.TLS.Client
		}
	}
	for use, c := range uses {
		ch <- prometheus.MustNewConstMetric(expiration, prometheus.GaugeValue, float64(c.NotAfter.Unix()), use.kind, use.name, use.file)
	}
}
