package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"
)

// loadConnections is how many connections there are, each with one request at a time: enough that Envoy's one worker
// never waits for a caller.
const loadConnections = 16

// load asks for all APIs of an Envoy in random order, as fast as the answers come.
type load struct {
	address  string
	requests [][]byte
}

func newLoad(address string, s shape, count int) *load {
	l := &load{address: address, requests: make([][]byte, count)}
	random := rand.New(rand.NewPCG(1, 2)) // each run has the same order
	for i, n := range random.Perm(count) {
		l.requests[i] = fmt.Appendf(nil, "GET "+s.request+" HTTP/1.1\r\nHost: %s\r\n\r\n", n, loadDomain)
	}
	return l
}

// run loads Envoy for one round.
func (l *load) run(ctx context.Context, round time.Duration, envoy *child) (rate, error) {
	ctx, cancel := context.WithTimeout(ctx, round+20*time.Second)
	defer cancel()
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for range loadConnections {
		conn, err := net.DialTimeout("tcp", l.address, time.Second)
		if err != nil {
			return rate{}, err
		}
		conns = append(conns, conn)
	}
	context.AfterFunc(ctx, func() {
		for _, conn := range conns {
			conn.Close() // an answer that does not come must not hold us
		}
	})
	counts, errs := make([]int, len(conns)), make([]error, len(conns))
	used, began := processor(envoy.cmd.Process.Pid), time.Now()
	var wait sync.WaitGroup
	for i, conn := range conns {
		wait.Go(func() {
			counts[i], errs[i] = l.ask(conn, i*len(l.requests)/len(conns), began.Add(round))
		})
	}
	wait.Wait()
	took, used := time.Since(began), processor(envoy.cmd.Process.Pid)-used
	total := 0
	for i, count := range counts {
		if errs[i] != nil {
			return rate{}, errs[i]
		}
		total += count
	}
	return rateOf(total, took, used), nil
}

// ask sends requests over one connection until the round is over, and counts them. It starts at one of the requests.
func (l *load) ask(conn net.Conn, first int, end time.Time) (count int, err error) {
	reader := bufio.NewReader(conn)
	for time.Now().Before(end) {
		if _, err := conn.Write(l.requests[(first+count)%len(l.requests)]); err != nil {
			return count, err
		}
		if err := readAnswer(reader); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// readAnswer reads an answer that has to be 200 and to say its length. It is http.ReadResponse without what costs time,
// so that the load is not what limits the rate.
func readAnswer(reader *bufio.Reader) error {
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer is %q", line)
	}
	length := -1
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("content-length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("the answer does not say its length")
	}
	_, err = io.CopyN(io.Discard, reader, int64(length))
	return err
}
