package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// shownWithin bounds how long an edit, or a start, is waited for.
const shownWithin = 90 * time.Second

// question is a request, and the answers to it before and after an edit is live.
type question struct {
	host, path    string
	before, after answer
}

// answer is what tells answers apart: the status and the first byte of the body, which names the node.
type answer struct {
	status int
	node   byte
}

// probe asks over one keep-alive connection, one request after the other without a pause, so the time of one request is
// how exactly it can tell when something became live.
type probe struct {
	address  string
	conn     net.Conn
	reader   *bufio.Reader
	requests int
	took     time.Duration // all requests together
}

// ask sends one request.
func (p *probe) ask(host, path string) (answer, error) {
	if p.conn == nil {
		conn, err := net.DialTimeout("tcp", p.address, time.Second)
		if err != nil {
			return answer{}, err
		}
		p.conn, p.reader = conn, bufio.NewReader(conn)
	}
	began := time.Now()
	a, err := p.exchange(host, path)
	p.requests, p.took = p.requests+1, p.took+time.Since(began)
	if err != nil {
		p.close()
	}
	return a, err
}

func (p *probe) exchange(host, path string) (answer, error) {
	if err := p.conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return answer{}, err
	}
	if _, err := fmt.Fprintf(p.conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		return answer{}, err
	}
	response, err := http.ReadResponse(p.reader, nil)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: response.StatusCode}
	if len(body) > 0 && a.status == http.StatusOK {
		a.node = body[0]
	}
	if response.Close {
		p.close()
	}
	return a, nil
}

func (p *probe) close() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// until asks until the answer is the one after the edit, and returns how many were neither it nor the one before.
func (p *probe) until(ctx context.Context, q question) (odd int, err error) {
	var last error
	for deadline := time.Now().Add(shownWithin); time.Now().Before(deadline); {
		a, err := p.ask(q.host, q.path)
		switch {
		case ctx.Err() != nil:
			return odd, ctx.Err()
		case err != nil:
			odd++
			last = err
			if err := pause(ctx, time.Millisecond); err != nil { // nobody listens: Envoy is about to start
				return odd, err
			}
		case a == q.after:
			return odd, nil
		default:
			last = fmt.Errorf("the last answer was %d %q", a.status, a.node)
			if a != q.before {
				odd++
			}
		}
	}
	return odd, fmt.Errorf("%s%s does not answer %d %q within %v: %w", q.host, q.path, q.after.status, q.after.node, shownWithin, last)
}

// backendNames are the bodies of the answers of the two nodes.
var backendNames = [2]byte{'a', 'b'}

// backends are the two nodes that exist.
type backends [2]*http.Server

// startBackends starts both and returns their addresses.
func startBackends() (backends, [2]string, error) {
	var all backends
	var addresses [2]string
	for i, name := range backendNames {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			all.close()
			return all, addresses, fmt.Errorf("start a node: %w", err)
		}
		body := []byte{name}
		all[i] = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(body) // whoever asked is gone
		})}
		addresses[i] = listener.Addr().String()
		go func() {
			if err := all[i].Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				panic(err) // the probe would wait for a node that is gone
			}
		}()
	}
	return all, addresses, nil
}

func (all backends) close() {
	for _, server := range all {
		if server != nil {
			server.Close()
		}
	}
}
