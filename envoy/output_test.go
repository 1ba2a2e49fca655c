package envoy

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// pieces remembers each Write.
type pieces struct {
	got []string
	err error
}

func (p *pieces) Write(data []byte) (int, error) {
	p.got = append(p.got, string(data))
	return len(data), p.err
}

func TestLineWriter(t *testing.T) {
	long := strings.Repeat("x", maxLogLine)
	for _, test := range []struct{ in, want []string }{
		{[]string{"a\n", "b\nc\n"}, []string{"a\n", "b\nc\n"}},
		{[]string{"a", "b", "c\nd", "e\n"}, []string{"abc\n", "de\n"}},
		{[]string{"a\nb", "\n", "c"}, []string{"a\n", "b\n"}},
		{[]string{long, "y", "z\n"}, []string{long + "y", "z\n"}},
	} {
		p := &pieces{err: errors.New("nobody reads")}
		w := &lineWriter{to: p}
		for _, data := range test.in {
			if n, err := w.Write([]byte(data)); n != len(data) || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
		}
		if !slices.Equal(p.got, test.want) {
			t.Errorf("%q becomes %q, want %q", test.in, p.got, test.want)
		}
	}
	if n, err := new(lineWriter).Write([]byte("a")); n != 1 || err != nil {
		t.Errorf("without a reader: %d, %v", n, err)
	}
}
