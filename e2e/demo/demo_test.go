package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGuidePointsAtTheQuickstart: the guide and the file it speaks of change together.
func TestGuidePointsAtTheQuickstart(t *testing.T) {
	file := "../../examples/quickstart/weir.hcl"
	g, err := newGuide(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, want := range []struct {
		line int
		text string
	}{
		{g.weight, `node "127.0.0.1:9001" { weight = 50 }`},
		{g.retries, "retries  = 5"},
		{g.hostHeader, `# host_header = "orders.internal"`},
		{g.path, `path     = "/v1/orders"`},
	} {
		if want.line == 0 || !strings.Contains(lines[want.line-1], want.text) {
			t.Errorf("line %d does not hold %q", want.line, want.text)
		}
	}
	for _, n := range nodes {
		if !strings.Contains(string(text), n.address) {
			t.Errorf("the quickstart has no node %s", n.address)
		}
	}
	var out bytes.Buffer
	g.print(&out)
	for _, name := range []string{"GATEWAY", "NODE2", "WEIGHT", "RETRIES", "HOST ", "PATH"} {
		if strings.Contains(out.String(), name) {
			t.Errorf("the guide says %s literally", name)
		}
	}
}

func TestLineWith(t *testing.T) {
	for _, test := range []struct {
		words string
		want  int
	}{{"one", 1}, {"three", 3}, {"gone", 0}} {
		if got := lineWith([]byte("one\ntwo\nthree\n"), test.words); got != test.want {
			t.Errorf("%q: line %d, want %d", test.words, got, test.want)
		}
	}
}

func TestFree(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	err = free(address, "Envoy")
	if want := address + ", which is for Envoy, is taken: stop what listens there"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("taken: %v", err)
	}
	listener.Close()
	if err := free(address, "Envoy"); err != nil {
		t.Errorf("free: %v", err)
	}
}

func TestRunWithoutAConfiguration(t *testing.T) {
	err := run(t.Context(), []string{"--config", filepath.Join(t.TempDir(), "none")}, io.Discard, io.Discard)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestChild(t *testing.T) {
	if _, err := start(io.Discard, "/nowhere/weir"); err == nil {
		t.Error("a binary that is not there was started")
	}
	ended, err := start(io.Discard, "/bin/sh", "-c", "exit 3")
	if err != nil {
		t.Fatal(err)
	}
	<-ended.done
	if got := ended.err().Error(); got != "exit status 3" {
		t.Errorf("ended with %q", got)
	}
	stubborn, err := start(io.Discard, "/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.01; done")
	if err != nil {
		t.Fatal(err)
	}
	stubborn.stop(20 * time.Millisecond)
	if got := stubborn.err().Error(); !strings.HasPrefix(got, "signal: ") {
		t.Errorf("ended with %q", got)
	}
}

func TestAnswersSaysThatWeirHasEnded(t *testing.T) {
	ended, err := start(io.Discard, "/bin/sh", "-c", "exit 1")
	if err != nil {
		t.Fatal(err)
	}
	<-ended.done
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := answers(ctx, ended, "127.0.0.1:1"); err == nil || err.Error() != "weir has ended: exit status 1" {
		t.Errorf("got %v", err)
	}
}
