package model

import "testing"

func TestPlaceFollowsItsBlock(t *testing.T) {
	b := NewBlock("a.hcl", 10)
	p := b.Place(2, 5)
	if got := p.String(); got != "a.hcl:12" || p.Column() != 5 {
		t.Fatalf("%s, column %d", got, p.Column())
	}
	b.Move("b.hcl", 3)
	if got := p.String(); got != "b.hcl:5" || p.Column() != 5 || p.IsZero() {
		t.Fatalf("after the move: %s, column %d", got, p.Column())
	}
	none := PlaceAt("", 3, 1)
	if !none.IsZero() || none.String() != "" || none.File() != "" || none.Line() != 0 {
		t.Fatalf("no place: %q %d", none.String(), none.Line())
	}
}
