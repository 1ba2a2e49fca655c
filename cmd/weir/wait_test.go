package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirproxy/weir/admin"
)

// A weir that is started again while somebody waits is waited for, with the Envoys that it had.
func TestWaitOutlivesARestart(t *testing.T) {
	first, second := time.Unix(1, 0), time.Unix(2, 0)
	proxies := func(started time.Time, current ...bool) admin.Status {
		s := admin.Status{StartedAt: started, Ready: true, Generation: "g", Instances: []admin.Instance{{Name: "edge"}}}
		for _, is := range current {
			s.Instances[0].Proxies = append(s.Instances[0].Proxies, admin.Proxy{Node: "n", Current: is})
		}
		return s
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := asked.Add(1); n {
		case 1:
			_ = writeJSON(w, proxies(first, true, false))
		case 2, 3, 4:
			panic(http.ErrAbortHandler) // as a process that is killed; the client asks again by itself
		case 5:
			_ = writeJSON(w, proxies(second))
		case 6:
			_ = writeJSON(w, proxies(second, true))
		default:
			_ = writeJSON(w, proxies(second, true, true))
		}
	}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	r := weir("wait", "--admin-address", address, "--timeout", patience.String())
	if r.status != 0 || r.stdout != "g is live in 2 Envoys\n" {
		t.Errorf("%+v", r)
	}
	server.Close()
	began := time.Now()
	if r := weir("wait", "--admin-address", address, "--timeout", "1h"); r.status != 1 || time.Since(began) > patience {
		t.Errorf("where no weir ever answered: %+v", r)
	}
}
