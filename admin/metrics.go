package admin

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is what /metrics shows. Its registry is its own: nothing that a library registers globally is shown.
type Metrics struct {
	registry   *prometheus.Registry
	successful prometheus.Gauge
	succeeded  prometheus.Gauge
	reloads    *prometheus.CounterVec
	load       prometheus.Histogram
	refusals   *prometheus.CounterVec
}

// ProxyCounts is how many proxies of an instance are connected, and of these, have all that is published or refuse some of it;
// and how many standbys, which are no proxies.
type ProxyCounts struct{ Connected, Current, Refusing, Standbys int }

// NewMetrics registers everything. proxies counts the proxies of each instance, state is what is served.
func NewMetrics(version string, proxies func() map[string]ProxyCounts, state func() *State) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_config_last_reload_successful",
			Help: "Whether the last attempt to load the configuration was successful.",
		}),
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_config_last_reload_success_timestamp_seconds",
			Help: "Timestamp of the last successful load of the configuration.",
		}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_config_reloads_total",
			Help: "Attempts to load the configuration, by outcome.",
		}, []string{"outcome"}),
		load: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "weir_config_load_seconds",
			Help:    "Time from text to resources of one attempt to load.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14), // 1 ms to 8 s
		}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_xds_refusals_total",
			Help: "Resources that an Envoy refused, by instance and type.",
		}, []string{"instance", "type"}),
	}
	for _, outcome := range Outcomes() {
		m.reloads.WithLabelValues(string(outcome)) // a rate needs the zero before the first one
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "weir_build_info",
		Help:        "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.successful, m.succeeded, m.reloads, m.load, m.refusals, build, connected(proxies), expirations(state),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Attempted counts an attempt that has ended.
func (m *Metrics) Attempted(a *Attempt) {
	m.reloads.WithLabelValues(string(a.Outcome)).Inc()
	if !a.Outcome.Good() {
		m.successful.Set(0)
		return
	}
	m.successful.Set(1)
	m.succeeded.Set(float64(a.At.UnixNano()) / float64(time.Second))
}

// Loaded records how long a load took, good or bad.
func (m *Metrics) Loaded(took time.Duration) { m.load.Observe(took.Seconds()) }

// Refused counts a refusal of one type of resource.
func (m *Metrics) Refused(instance, resourceType string) {
	m.refusals.WithLabelValues(instance, resourceType).Inc()
}

// Handler serves the registry.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// connected is a collector that asks at each scrape, so that an instance that is gone is gone here too.
type connected func() map[string]ProxyCounts

var (
	connectedProxies = prometheus.NewDesc("weir_xds_connected_proxies",
		"Envoys that are connected now, by instance.", []string{"instance"}, nil)
	currentProxies = prometheus.NewDesc("weir_xds_current_proxies",
		"Envoys that are connected now and have taken all that is published, by instance.", []string{"instance"}, nil)
	refusingProxies = prometheus.NewDesc("weir_xds_refusing_proxies",
		"Envoys that are connected now and refuse something that is published, by instance.", []string{"instance"}, nil)
	connectedStandbys = prometheus.NewDesc("weir_xds_connected_standbys",
		"Standbys that follow now, by instance.", []string{"instance"}, nil)
)

// Describe is prometheus.Collector's.
func (c connected) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{connectedProxies, currentProxies, refusingProxies, connectedStandbys} {
		ch <- desc
	}
}

// Collect is prometheus.Collector's.
func (c connected) Collect(ch chan<- prometheus.Metric) {
	for instance, n := range c() {
		for desc, value := range map[*prometheus.Desc]int{
			connectedProxies: n.Connected, currentProxies: n.Current, refusingProxies: n.Refusing, connectedStandbys: n.Standbys,
		} {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), instance)
		}
	}
}
