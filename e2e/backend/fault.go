package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fault is a way to fail. It is written as a query: "status=503", "delay=2s", "delay=1s&status=500", "hang=true",
// "reset=true", "size=1000000", "status=503&nodes=one,two". POST /_backend/fault?... is for all requests of one backend from then on, the
// header X-Fault for one request.
type fault struct {
	status int           // answer with it; 0: as ever
	delay  time.Duration // wait before anything else
	hang   bool          // never answer
	reset  bool          // cut the connection
	size   int64         // answer with so many bytes; 0: as ever
	nodes  []string      // only backends of these names fail; none: all
}

// parseFault reads a fault; "" is none.
func parseFault(text string) (fault, error) {
	query, err := url.ParseQuery(text)
	if err != nil {
		return fault{}, err
	}
	var f fault
	for key, values := range query {
		if err := f.set(key, values[0]); err != nil {
			return fault{}, fmt.Errorf("%s=%s: %w", key, values[0], err)
		}
	}
	return f, nil
}

// set sets what one key of the query says.
func (f *fault) set(key, value string) (err error) {
	switch key {
	case "status":
		f.status, err = strconv.Atoi(value)
		if err == nil && (f.status < 200 || f.status > 599) {
			err = fmt.Errorf("a status is 200 to 599")
		}
	case "delay":
		f.delay, err = time.ParseDuration(value)
	case "hang":
		f.hang, err = strconv.ParseBool(value)
	case "reset":
		f.reset, err = strconv.ParseBool(value)
	case "size":
		f.size, err = strconv.ParseInt(value, 10, 64)
	case "nodes":
		f.nodes = strings.Split(value, ",")
	default:
		err = fmt.Errorf("there are status, delay, hang, reset, size and nodes")
	}
	return err
}

// concerns says whether a backend of that name fails.
func (f fault) concerns(name string) bool {
	return len(f.nodes) == 0 || slices.Contains(f.nodes, name)
}

// happen fails; false: the answer is still to be given.
func (f fault) happen(w http.ResponseWriter, r *http.Request) bool {
	select {
	case <-time.After(f.delay):
	case <-r.Context().Done():
		return true
	}
	switch {
	case f.hang:
		<-r.Context().Done()
	case f.reset:
		cut(w)
	case f.status != 0:
		http.Error(w, fmt.Sprintf("%d, as it was told to", f.status), f.status)
	case f.size > 0:
		_, _ = io.CopyN(w, zeros{}, f.size)
	default:
		return false
	}
	return true
}

// zeros never end.
type zeros struct{}

// Read is io.Reader's.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// cut ends the connection without an answer, with a TCP reset where it can.
func cut(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler) // net/http's own way to cut a connection or a stream
}
