package xds

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
)

// The fleet's clients are a process of their own, so that the memory of this one is that of the server: the test binary,
// told by these variables where to connect and how often.
const (
	fleetTarget = "WEIR_TEST_FLEET_TARGET"
	fleetSize   = "WEIR_TEST_FLEET_SIZE"
)

// TestFleetClients is the process of the clients. It prints a line when all of them have all resources, and one each time
// when all of them have a change. It ends with its standard input.
func TestFleetClients(t *testing.T) {
	target := os.Getenv(fleetTarget)
	if target == "" {
		return // it is one of the tests
	}
	size, err := strconv.Atoi(os.Getenv(fleetSize))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var full, changed atomic.Int64
	count := func(n *atomic.Int64, what string) {
		if n.Add(1)%int64(size) == 0 {
			fmt.Println(what)
		}
	}
	var running sync.WaitGroup
	for i := range size {
		running.Go(func() {
			err := fleetClient(ctx, target, fmt.Sprint("fleet-", i), func() { count(&full, "full") }, func() { count(&changed, "changed") })
			if ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	bufio.NewReader(os.Stdin).ReadString('\n')
	cancel()
	running.Wait()
}

// fleetClient takes all clusters and their endpoints, as Envoy does, on a connection of its own.
func fleetClient(ctx context.Context, target, id string, full, changed func()) error {
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxResponse)))
	if err != nil {
		return err
	}
	defer conn.Close()
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	send := func(r *discoveryv3.DeltaDiscoveryRequest) {
		if err == nil {
			err = stream.Send(r)
		}
	}
	send(&discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: id, Cluster: "edge"}, TypeUrl: typeURLs[clusters]})
	started := false
	for err == nil {
		var r *discoveryv3.DeltaDiscoveryResponse
		if r, err = stream.Recv(); err != nil {
			return err
		}
		send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.GetTypeUrl(), ResponseNonce: r.GetNonce()})
		switch {
		case r.GetTypeUrl() == typeURLs[clusters]:
			var names []string
			for _, x := range r.GetResources() {
				names = append(names, x.GetName())
			}
			send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[endpoints], ResourceNamesSubscribe: names})
		case !started:
			started = true
			full()
		default:
			changed()
		}
	}
	return err
}

// fleet is a process with clients.
type fleet struct {
	cmd   *exec.Cmd
	lines chan string
	stop  func()
}

func startFleet(tb testing.TB, target string, size int) *fleet {
	tb.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestFleetClients$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), fleetTarget+"="+target, fleetSize+"="+strconv.Itoa(size))
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	f := &fleet{cmd: cmd, lines: make(chan string, 100)}
	go func() {
		defer close(f.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			f.lines <- s.Text()
		}
	}()
	f.stop = sync.OnceFunc(func() {
		in.Close()
		for range f.lines { // until it has ended
		}
		if err := cmd.Wait(); err != nil {
			tb.Errorf("the clients: %v", err)
		}
	})
	tb.Cleanup(f.stop)
	return f
}

// await waits for a line.
func (f *fleet) await(tb testing.TB, want string) {
	tb.Helper()
	limit := time.After(2 * time.Minute)
	for {
		select {
		case line, ok := <-f.lines:
			switch {
			case !ok:
				tb.Fatalf("the clients ended before %q", want)
			case line == want:
				return
			case !strings.HasPrefix(line, "PASS"):
				tb.Fatalf("got %q, want %q", line, want)
			}
		case <-limit:
			tb.Fatalf("no %q", want)
		}
	}
}

// fleetSet is a number of upstreams of ten nodes.
func fleetSet(tb testing.TB, upstreams int) *Set {
	tb.Helper()
	var all []proto.Message
	for i := range upstreams {
		all = append(all, upstream(fmt.Sprintf("upstream/%04d", i), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)...)
	}
	set, err := setOf(all...)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// edited is a set with another port of one upstream's last node.
func edited(tb testing.TB, set *Set, edit int) *Set {
	tb.Helper()
	r, err := NewResource(assignment("upstream/0000", "127.0.0.1", 1, 2, 3, 4, 5, 6, 7, 8, 9, 1000+edit), nil)
	if err != nil {
		tb.Fatal(err)
	}
	next, err := set.With([]*Resource{r}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return next
}

// heap is what is in use after a collection, with stacks.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// TestFleet: an edit reaches all of many clients, which keep little of our memory.
func TestFleet(t *testing.T) {
	const size = 100
	f := start(t, "tcp")
	set := fleetSet(t, 1000)
	f.Publish(map[string]*Set{"edge": set})
	before := heap()
	clients := startFleet(t, f.target, size)
	clients.await(t, "full")
	for edit := range 5 {
		set = edited(t, set, edit)
		f.Publish(map[string]*Set{"edge": set})
		clients.await(t, "changed")
	}
	eventually(t, "all is taken", func() bool { return took(f.Server, set) == size })
	if per := (int64(heap()) - int64(before)) / size >> 10; per > 200 {
		t.Errorf("%d kB for each client", per)
	}
}

// took counts the proxies that took a set.
func took(s *Server, set *Set) (n int) {
	for _, p := range s.Proxies() {
		if p.Snapshot == set.Hash() {
			n++
		}
	}
	return n
}

// BenchmarkFleet is a change of one node of one of 1,000 upstreams, until the last of 1,000 delta clients in another process
// has it. It also tells how long it takes until all have everything at first, and the memory for each.
func BenchmarkFleet(b *testing.B) {
	const size = 1000
	f := serveFleet(b)
	set := fleetSet(b, 1000)
	f.Publish(map[string]*Set{"edge": set})
	before, began := heap(), time.Now()
	clients := startFleet(b, f.target, size)
	clients.await(b, "full")
	full := time.Since(began)
	var all []time.Duration
	edit := 0
	for b.Loop() {
		edit++
		set = edited(b, set, edit)
		began := time.Now()
		f.Publish(map[string]*Set{"edge": set})
		clients.await(b, "changed")
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	b.ReportMetric(float64(full.Milliseconds()), "ms-all-full")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "ms-max")
	b.ReportMetric((float64(heap())-float64(before))/size/1024, "kB/proxy")
	clients.stop()
}

// serveFleet is start without a log.
func serveFleet(b *testing.B) *fixture {
	b.Helper()
	f := &fixture{Server: NewServer(Options{}), stopped: make(chan error, 1)}
	l := listen(b)
	f.target = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	go func() { f.stopped <- f.Serve(ctx, l) }()
	b.Cleanup(func() { cancel(); <-f.stopped })
	return f
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return l
}
