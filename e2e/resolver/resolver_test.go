package main

import (
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestAnswer(t *testing.T) {
	known, err := parseNames([]string{"Orders.internal=10.0.0.7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		kind    dnsmessage.Type
		code    dnsmessage.RCode
		answers int
	}{
		{"ORDERS.internal.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 1},
		{"orders.internal.", dnsmessage.TypeAAAA, dnsmessage.RCodeSuccess, 0},
		{"other.internal.", dnsmessage.TypeA, dnsmessage.RCodeNameError, 0},
	} {
		question := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: 7},
			Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(test.name), Type: test.kind, Class: dnsmessage.ClassINET}},
		}
		packed, err := question.Pack()
		if err != nil {
			t.Fatal(err)
		}
		reply, err := known.answer(packed)
		if err != nil {
			t.Fatal(err)
		}
		var got dnsmessage.Message
		if err := got.Unpack(reply); err != nil {
			t.Fatal(err)
		}
		if got.ID != 7 || got.RCode != test.code || len(got.Answers) != test.answers {
			t.Errorf("%s %v: %v, %d answers", test.name, test.kind, got.RCode, len(got.Answers))
		}
	}
}

func TestParseNames(t *testing.T) {
	for _, wrong := range []string{"orders", "orders=", "orders=::1", "orders=10.0.0"} {
		if _, err := parseNames([]string{wrong}); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
