package translate

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
)

// TestRoutesGrowWithAPIs holds that the routes of a domain grow with its APIs and no faster, in ordinary domains as lists
// and in those that would repeat too much as a tree.
func TestRoutesGrowWithAPIs(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string // of one resource, with %d for its number
		once  []string // of the whole domain
		lists bool
	}{
		{"exact paths", []string{"/r%d"}, nil, true},
		{"exact paths and everything else", []string{"/r%d"}, []string{"*"}, true},
		{"resources", []string{"GET /r%d", "POST /r%[1]d", "GET /r%d/{id}", "PUT,DELETE /r%d/{id}", "/r%d/{id}/parts", "GET /r%d/search"}, []string{"/*"}, true},
		{"templates of one place", []string{"/{tenant}/r%d"}, nil, true},
		{"templates beside literals", []string{"/{tenant}/r%d", "/l%d"}, nil, false},
		{"templates above prefixes", []string{"/{tenant}/r%d", "GET /l%d/*"}, []string{"GET *"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			sizes := map[int]int{}
			for _, n := range []int{100, 1000} {
				c := edge()
				lines := append([]string(nil), test.once...)
				for i := range n {
					for _, line := range test.lines {
						lines = append(lines, fmt.Sprintf(line, i))
					}
				}
				addMocks(t, c, "shop", "", lines)
				u := use{}
				entries := entriesOf(c.Services["shop"])
				if lists := routeLists(entries, maxCopies*len(entries), u) != nil; lists != test.lists {
					t.Errorf("%d APIs: lists %v, want %v", len(lines), lists, test.lists)
				}
				sizes[n] = proto.Size(routeMatcher(entries, u)) / len(entries)
			}
			if sizes[1000] > sizes[100]*11/10 {
				t.Errorf("bytes for each API: %d of 100 resources, %d of 1,000", sizes[100], sizes[1000])
			}
		})
	}
}
