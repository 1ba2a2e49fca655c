package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// backend answers requests.
type backend struct {
	name     string
	requests atomic.Int64 // answered or failed, those under /_backend/ aside

	mu    sync.Mutex
	fault fault // of every request
}

// answer is what a request is answered with, in JSON.
type answer struct {
	Name    string      `json:"name"`
	Method  string      `json:"method"`
	Path    string      `json:"path"` // as it was sent
	Query   string      `json:"query"`
	Host    string      `json:"host"`
	TLS     bool        `json:"tls"`
	Headers http.Header `json:"headers"`
}

// ServeHTTP answers, or fails as it was told to.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_backend/") {
		b.control(w, r)
		return
	}
	b.requests.Add(1)
	said, err := parseFault(r.Header.Get("X-Fault"))
	if err != nil {
		http.Error(w, fmt.Sprintf("X-Fault: %v", err), http.StatusBadRequest)
		return
	}
	w.Header().Set("X-Node", b.name)
	for _, f := range []fault{b.standingFault(), said} {
		if f.concerns(b.name) && f.happen(w, r) {
			return
		}
	}
	b.answer(w, r)
}

// answer says who answers and what was asked.
func (b *backend) answer(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer{
			Name: b.name, Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
			Host: r.Host, TLS: r.TLS != nil, Headers: r.Header,
		})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "%s: %s %s (Host: %s)\n", b.name, r.Method, r.RequestURI, r.Host)
}

// control is for the one who runs the backend, who asks it directly and not through the gateway.
func (b *backend) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /_backend/requests":
		fmt.Fprintln(w, b.requests.Load())
	case "POST /_backend/fault":
		if err := b.setFault(r.URL.RawQuery); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%s fails from now on\n", b.name)
	case "DELETE /_backend/fault":
		_ = b.setFault("")
		fmt.Fprintf(w, "%s is well again\n", b.name)
	default:
		http.Error(w, "GET /_backend/requests, POST /_backend/fault?status=503 and DELETE /_backend/fault is what there is", http.StatusNotFound)
	}
}

// setFault changes how every request fails.
func (b *backend) setFault(text string) error {
	f, err := parseFault(text)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
	return nil
}

// standingFault is how every request fails now.
func (b *backend) standingFault() fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fault
}
