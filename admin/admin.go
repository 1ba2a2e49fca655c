// Package admin answers, over HTTP, what a running weir holds and how it came to it.
//
// It promises that reading changes nothing: the only request with an effect is POST /api/v1/reload. Every answer
// shows one consistent state, a document below /api/ is JSON in snake_case, and an error is {"error": "..."} under
// the status code that fits. What weir keeps secret (keys, sensitive variables) is not part of any shape here.
//
// A page in the operator's browser cannot use it behind their back: on a loopback address only requests that
// name a loopback host are answered, and a request from another origin cannot load anything.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// ReloadTimeout bounds how long POST /api/v1/reload waits for the attempt to end.
const ReloadTimeout = 50 * time.Second

// ErrStopping is what Options.Reload returns when weir stops before the attempt has ended.
var ErrStopping = errors.New("weir is stopping")

// Options is where a handler gets what it shows. The functions are called from many goroutines at once.
type Options struct {
	Listen  net.Addr // where the server listens; on loopback the Host header is checked
	Host    string   // the host of the address as the operator wrote it, allowed in the Host header as well
	State   func() *State
	Proxies func() []Proxy
	Envoys  func() []Envoy                              // nil: this weir starts no Envoys
	Reload  func(ctx context.Context) (*Attempt, error) // loads now and waits for the outcome
	Metrics *Metrics

	// Health asks the proxies how the nodes of an upstream are. It does not wait long for any. Nil: nobody is asked.
	Health func(ctx context.Context, upstream string) []Witness
}

// NewServer is an HTTP server for the handler, with timeouts that no slow client can hold it beyond.
func NewServer(o Options, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           NewHandler(o),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      ReloadTimeout + 10*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// NewHandler is everything that the admin address serves.
func NewHandler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/{$}", get(index))
	mux.Handle("/healthz", get(func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") }))
	mux.Handle("/readyz", get(o.ready))
	mux.Handle("/metrics", get(o.Metrics.Handler().ServeHTTP))
	mux.Handle("/api/v1/status", get(o.status))
	mux.Handle("/api/v1/instances", get(o.instances))
	mux.Handle("/api/v1/proxies", get(o.proxies))
	mux.Handle("/api/v1/upstreams", get(o.upstreams))
	mux.Handle("/api/v1/upstreams/{name}", get(o.upstream))
	mux.Handle("/api/v1/reload", methods(o.reload, http.MethodPost))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "nothing is served at "+r.URL.Path+"; / lists what is")
	})
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusForbidden, "a request from another origin may not change anything")
	}))
	return o.checkHost(origin.Handler(mux))
}

// checkHost refuses requests that reached a loopback address under a foreign name: a page whose name was rebound
// to 127.0.0.1 would otherwise read everything.
func (o Options) checkHost(next http.Handler) http.Handler {
	if !isLoopback(o.Listen) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !o.hostAllowed(r.Host) {
			fail(w, http.StatusForbidden, "the Host header names neither a loopback address nor the address that weir listens on")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (o Options) hostAllowed(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") || o.Host != "" && strings.EqualFold(host, o.Host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// get lets GET and HEAD through; the server leaves out the body of the answer to HEAD.
func get(h http.HandlerFunc) http.Handler {
	return methods(h, http.MethodGet, http.MethodHead)
}

func methods(h http.HandlerFunc, allowed ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range allowed {
			if r.Method == m {
				h(w, r)
				return
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		fail(w, http.StatusMethodNotAllowed, r.URL.Path+" takes "+strings.Join(allowed, " and ")+" only")
	})
}

func text(w http.ResponseWriter, status int, body string) {
	header(w, "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func answer(w http.ResponseWriter, status int, document any) {
	body, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error": "the answer could not be written as JSON"}`)
	}
	header(w, "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the caller went away: nobody is left to tell
}

func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, Error{Error: message})
}

func header(w http.ResponseWriter, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
}
