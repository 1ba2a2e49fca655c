package translate

import (
	"bufio"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/weirproxy/weir/model"
)

// TestWebSocket exchanges frames for longer than the API's timeout.
func TestWebSocket(t *testing.T) {
	const timeout = 500 * time.Millisecond
	c := edge()
	n := startNode(t, echo)
	addUpstream(c, "main", model.HTTP, n.address)
	yes, no, split := forwardAPI("yes", "GET /yes/*", "main", "/v1"), forwardAPI("no", "/no", "main", ""), splitAPI("split", "/split", "", model.Target{Upstream: "main", Weight: 1}, model.Target{Upstream: "main", Weight: 1})
	yes.WebSocket, yes.Backend.Timeout = true, timeout
	split.WebSocket = true
	addService(c, "shop", "shop.test", yes, no, split)
	g := startEnvoy(t, cutUp(c), nil)
	handshake := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	if a := g.dial("http", nil).do("GET", "shop.test", "/no", handshake...); a.Status != 403 {
		t.Errorf("an API without websocket: status %d", a.Status)
	}
	for _, path := range []string{"/yes/room?x=1", "/split"} {
		caller := g.dial("http", nil)
		if a := caller.do("GET", "shop.test", path, handshake...); a.Status != 101 {
			t.Fatalf("%s: status %d", path, a.Status)
		}
		for start, i := time.Now(), byte(0); time.Since(start) < 3*timeout; i++ {
			_ = caller.conn.SetDeadline(time.Now().Add(30 * time.Second))
			frame := []byte{0x82, 0x83, 1, 2, 3, 4, i ^ 1, 7 ^ 2, i ^ 3} // binary, masked, three bytes
			if _, err := caller.conn.Write(frame); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 5)
			if _, err := io.ReadFull(caller.read, got); err != nil {
				t.Fatalf("%s: after %v: %v", path, time.Since(start), err)
			}
			if want := [5]byte{0x82, 3, i, 7, i}; [5]byte(got) != want {
				t.Fatalf("%s: the frame came back as %x, want %x", path, got, want)
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	if a := g.dial("http", nil).do("GET", "shop.test", "/yes/plain"); a.Status != 200 || a.Body != "plain" {
		t.Errorf("an ordinary request: %d %q", a.Status, a.Body)
	}
}

// echo sends frames back without their masks.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" {
		_, _ = io.WriteString(w, "plain")
		return
	}
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	for echoFrame(buffered.Reader, conn) == nil {
	}
}

func echoFrame(in *bufio.Reader, out io.Writer) error {
	head := make([]byte, 6)
	if _, err := io.ReadFull(in, head); err != nil {
		return err
	}
	payload := make([]byte, head[1]&0x7f)
	if _, err := io.ReadFull(in, payload); err != nil {
		return err
	}
	for i := range payload {
		payload[i] ^= head[2+i%4]
	}
	_, err := out.Write(append([]byte{head[0], byte(len(payload))}, payload...))
	return err
}
