package envoy

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLogWriter(t *testing.T) {
	var out bytes.Buffer
	w := newLogWriter(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})))
	for _, piece := range []string{
		"libfoo.so: not found\n", "warning\tmain\tno lim", "it\r\ncriti", "cal\tconfig\tcannot bind\n  detail\n\n", "warning\tmain\tlater\n", "unfinished",
	} {
		if _, err := io.WriteString(w, piece); err != nil {
			t.Fatal(err)
		}
	}
	w.hush()
	w.finish()
	want := strings.TrimLeft(`
level=WARN msg="envoy: libfoo.so: not found" component=""
level=WARN msg="envoy: no limit" component=main
level=ERROR msg="envoy: cannot bind" component=config
level=ERROR msg="envoy:   detail" component=""
level=WARN msg="envoy: later" component=main
level=DEBUG msg="envoy: unfinished" component=""
`, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := w.lastError(); got != "cannot bind" {
		t.Errorf("last error %q", got)
	}
}

func TestSumGauges(t *testing.T) {
	tests := []struct {
		name, text string
		want       int
		wantErr    bool
	}{
		{"none", "", 0, false},
		{"ours aside", "http.admin.downstream_rq_active: 1\nhttp.edge.downstream_rq_active: 2\nhttp.tls.downstream_rq_active: 3\n", 5, false},
		{"not a number", "http.edge.downstream_rq_active: P0\n", 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := sumGauges(test.text, "http.admin.")
			if got != test.want || (err != nil) != test.wantErr {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}
