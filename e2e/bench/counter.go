package main

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// counter is a TCP proxy between Envoy and a control plane that counts the bytes of both directions.
type counter struct {
	listener net.Listener
	target   string
	down, up atomic.Int64 // to Envoy, from Envoy
	mu       sync.Mutex
	conns    map[net.Conn]bool // nil once closed
	wait     sync.WaitGroup
}

func newCounter(target string) (*counter, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("counting proxy: %w", err)
	}
	c := &counter{listener: listener, target: target, conns: map[net.Conn]bool{}}
	c.wait.Go(c.accept)
	return c, nil
}

// address is where Envoy connects to.
func (c *counter) address() string { return c.listener.Addr().String() }

func (c *counter) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return // closed
		}
		target, err := net.Dial("tcp", c.target)
		if err != nil {
			conn.Close() // Envoy tries again
			continue
		}
		if c.keep(conn, target) {
			c.wait.Go(func() { c.forward(conn, target, &c.up) })
			c.wait.Go(func() { c.forward(target, conn, &c.down) })
		}
	}
}

// keep notes connections, so that close ends them.
func (c *counter) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		if c.conns == nil {
			conn.Close()
			continue
		}
		c.conns[conn] = true
	}
	return c.conns != nil
}

// forward copies one direction until either side is gone.
func (c *counter) forward(from, to net.Conn, count *atomic.Int64) {
	defer func() {
		from.Close()
		to.Close()
		c.mu.Lock()
		delete(c.conns, from)
		c.mu.Unlock()
	}()
	buffer := make([]byte, 256<<10)
	for {
		n, err := from.Read(buffer)
		count.Add(int64(n))
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

func (c *counter) close() {
	c.listener.Close()
	c.mu.Lock()
	for conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
	c.mu.Unlock()
	c.wait.Wait()
}
