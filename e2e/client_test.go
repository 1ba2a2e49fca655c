package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// request is what a caller asks of a gateway on loopback.
type request struct {
	method string // "": GET
	port   int
	host   string // the Host header; "": "shop.example.com"
	path   string
	header http.Header // besides
}

// answer is what came back.
type answer struct {
	status int
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %q", a.status, a.body) }

// try sends the request on a connection of its own. It fails when no HTTP answer came.
func (r request) try() (answer, error) {
	client := newClient(nil)
	defer client.CloseIdleConnections()
	return r.send(client, "http")
}

// send is try over a given client.
func (r request) send(client *http.Client, scheme string) (answer, error) {
	method := r.method
	if method == "" {
		method = http.MethodGet
	}
	address := loopback(r.port)
	outgoing, err := http.NewRequest(method, scheme+"://"+address+r.path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	for name, values := range r.header {
		outgoing.Header[http.CanonicalHeaderKey(name)] = values
	}
	outgoing.Host = r.host
	if r.host == "" {
		outgoing.Host = "shop.example.com"
	}
	response, err := client.Do(outgoing)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	return answer{response.StatusCode, string(body)}, nil
}

// newClient is a caller that follows no redirect and no proxy variable.
func newClient(config *tls.Config) *http.Client {
	return &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get sends a GET and fails the test when there is no answer at all.
func get(t *testing.T, port int, host, path string) answer {
	t.Helper()
	return ask(t, request{port: port, host: host, path: path})
}

// ask is get for any request.
func ask(t *testing.T, r request) answer {
	t.Helper()
	got, err := r.try()
	if err != nil {
		t.Fatalf("%s %s: %v", r.host, r.path, err)
	}
	return got
}

// wants is nil when the request is answered with the status and, unless it is "", the body.
func (r request) wants(status int, body string) error {
	got, err := r.try()
	if err != nil {
		return err
	}
	if got.status != status || (body != "" && got.body != body) {
		return fmt.Errorf("%s %s is answered %v, want %d %q", r.host, r.path, got, status, body)
	}
	return nil
}

// awaitAnswer waits until GET path is answered with 200 and the body.
func awaitAnswer(t *testing.T, bound time.Duration, port int, path, body string) {
	t.Helper()
	eventually(t, bound, "GET "+path+" is answered by "+body, func() error {
		return request{port: port, path: path}.wants(http.StatusOK, body)
	})
}

// refused is nil when nothing listens on the port.
func refused(port int) error {
	connection, err := net.Dial("tcp", loopback(port))
	if err != nil {
		return nil
	}
	connection.Close()
	return fmt.Errorf("port %d is open", port)
}

// handshake opens a TLS connection as a caller of serverName would, and returns the certificate that was shown.
func handshake(port int, serverName string, roots *x509.CertPool) (*x509.Certificate, error) {
	config := &tls.Config{ServerName: serverName, RootCAs: roots, InsecureSkipVerify: serverName == ""}
	connection, err := tls.Dial("tcp", loopback(port), config)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	return connection.ConnectionState().PeerCertificates[0], nil
}

// tally is what constant load saw.
type tally struct {
	sent     int
	byBody   map[string]int
	failures map[string]int // everything but 200
	failed   int
}

// load is a caller who never stops asking, until stop.
type load struct {
	request  request
	client   *http.Client
	scheme   string
	quit     chan struct{}
	finished chan tally
	sent     atomic.Int64
}

// startLoad asks once per millisecond over kept connections, as a busy caller does, and leaves the processor some time.
func startLoad(t *testing.T, r request) *load {
	t.Helper()
	return startLoadOver(t, r, newClient(nil), "http")
}

// startLoadOver is startLoad with a client of the caller's choice, which ends with it.
func startLoadOver(t *testing.T, r request, client *http.Client, scheme string) *load {
	t.Helper()
	l := &load{request: r, client: client, scheme: scheme, quit: make(chan struct{}), finished: make(chan tally, 1)}
	go func() { l.finished <- l.run() }()
	t.Cleanup(l.halt)
	return l
}

func (l *load) run() tally {
	defer l.client.CloseIdleConnections()
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	result := tally{byBody: make(map[string]int), failures: make(map[string]int)}
	for {
		select {
		case <-l.quit:
			return result
		case <-pause.C:
			got, err := l.request.send(l.client, l.scheme)
			result.add(got, err)
			l.sent.Add(1)
		}
	}
}

func (r *tally) add(got answer, err error) {
	r.sent++
	if err == nil && got.status == http.StatusOK {
		r.byBody[got.body]++
		return
	}
	r.failed++
	r.failures[fmt.Sprintf("%s %v %v", time.Now().Format("15:04:05"), got, err)]++
}

func (l *load) halt() {
	select {
	case <-l.quit:
	default:
		close(l.quit)
	}
}

// enough is how many requests show something.
const enough = 10

// stop ends the load, not before it is one, and holds it to no failure.
func (l *load) stop(t *testing.T) tally {
	t.Helper()
	eventually(t, startBound, "there is some load", func() error {
		sent := l.sent.Load()
		return hold(sent >= enough, "only %d requests were sent: that shows nothing", sent)
	})
	l.halt()
	result := <-l.finished
	if result.failed > 0 {
		t.Errorf("%d of %d requests failed: %v", result.failed, result.sent, result.failures)
	}
	t.Logf("%d requests, %d failed: %v", result.sent, result.failed, result.byBody)
	return result
}
