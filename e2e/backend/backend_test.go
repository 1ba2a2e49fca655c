package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// ask sends one request to a backend and returns status and body, or what went wrong.
func ask(t *testing.T, server *httptest.Server, method, path string, headers map[string]string) (int, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range headers {
		request.Header.Set(key, value)
	}
	request.Host = "orders.internal"
	request.Close = true // on a connection that was used before, the client would try again by itself
	response, err := server.Client().Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestAnswers(t *testing.T) {
	server := httptest.NewServer(&backend{name: "one"})
	defer server.Close()
	_, body, err := ask(t, server, "GET", "/a%2Fb?id=1", nil)
	if want := "one: GET /a%2Fb?id=1 (Host: orders.internal)\n"; err != nil || body != want {
		t.Errorf("got %q, %v, want %q", body, err, want)
	}
	_, body, err = ask(t, server, "PUT", "/a%2Fb?id=1", map[string]string{"Accept": "application/json", "X-Mine": "m"})
	if err != nil {
		t.Fatal(err)
	}
	var got answer
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "one" || got.Method != "PUT" || got.Path != "/a%2Fb" || got.Query != "id=1" ||
		got.Host != "orders.internal" || got.TLS || got.Headers.Get("X-Mine") != "m" {
		t.Errorf("got %+v", got)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name, fault string
		status      int
		wantErr     bool
	}{
		{"none", "", 200, false},
		{"status", "status=503", 503, false},
		{"a short delay", "delay=1ms", 200, false},
		{"a long delay", "delay=10s", 0, true},
		{"delay and status", "delay=1ms&status=418", 418, false},
		{"hang", "hang=true", 0, true},
		{"reset", "reset=true", 0, true},
		{"for this node", "status=503&nodes=two,one", 503, false},
		{"for another node", "status=503&nodes=two", 200, false},
		{"no such fault", "explode=true", 400, false},
		{"no such status", "status=99", 400, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := &backend{name: "one"}
			server := httptest.NewServer(b)
			defer server.Close()
			byHeader, _, err := ask(t, server, "GET", "/", map[string]string{"X-Fault": test.fault})
			if byHeader != test.status || (err != nil) != test.wantErr {
				t.Errorf("by header: %d, %v", byHeader, err)
			}
			if set, _, err := ask(t, server, "POST", "/_backend/fault?"+test.fault, nil); err != nil || set != 200 && set != test.status {
				t.Fatalf("setting it: %d, %v", set, err)
			}
			if test.status == 400 {
				return
			}
			if standing, _, err := ask(t, server, "GET", "/", nil); standing != test.status || (err != nil) != test.wantErr {
				t.Errorf("standing: %d, %v", standing, err)
			}
			if _, _, err := ask(t, server, "DELETE", "/_backend/fault", nil); err != nil {
				t.Fatal(err)
			}
			if well, _, err := ask(t, server, "GET", "/", nil); well != 200 || err != nil {
				t.Errorf("after it: %d, %v", well, err)
			}
			if got := b.requests.Load(); got != 3 {
				t.Errorf("counted %d requests, want 3", got)
			}
		})
	}
}

func TestControlOfWhatIsNotThere(t *testing.T) {
	server := httptest.NewServer(&backend{name: "one"})
	defer server.Close()
	if status, _, err := ask(t, server, "GET", "/_backend/nothing", nil); status != 404 || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
}

func TestRun(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	tests := []struct {
		name      string
		arguments []string
		want      string
	}{
		{"help", []string{"-h"}, ""},
		{"port taken", []string{"--address", taken.Listener.Addr().String()}, "address already in use"},
		{"no such flag", []string{"--nothing"}, "not defined"},
		{"argument", []string{"x"}, `what is "x"?`},
		{"fault", []string{"--fault", "status=1"}, "--fault: status=1: a status is 200 to 599"},
		{"no such certificate", []string{"--address", "127.0.0.1:0", "--tls-certificate", "/nowhere"}, "no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := run(test.arguments, io.Discard)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestServeEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := serve(ctx, options{address: "127.0.0.1:0", name: "one"}, http.NotFoundHandler(), &out); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(out.String(), "backend one listens on 127.0.0.1:") {
		t.Errorf("said %q", out.String())
	}
}
