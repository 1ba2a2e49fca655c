// Resolver is a DNS server to test weir with: it knows a few names, given as NAME=ADDRESS on its command line, and says
// of all others that they do not exist. What it does not do is be there when the test has stopped it.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "resolver:", err)
		os.Exit(1)
	}
}

// run answers until it is killed.
func run(arguments []string) error {
	flags := flag.NewFlagSet("resolver", flag.ExitOnError)
	address := flags.String("address", "0.0.0.0:53", "answer on this UDP `HOST:PORT`")
	_ = flags.Parse(arguments) // it exits
	names, err := parseNames(flags.Args())
	if err != nil {
		return err
	}
	connection, err := net.ListenPacket("udp", *address)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "resolver knows %d names\n", len(names))
	buffer := make([]byte, 4096)
	for {
		n, from, err := connection.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if reply, err := names.answer(buffer[:n]); err == nil { // what is no question gets no answer
			_, _ = connection.WriteTo(reply, from)
		}
	}
}

// names are the addresses by name, in small letters and with the dot at the end.
type names map[string]netip.Addr

func parseNames(arguments []string) (names, error) {
	known := make(names)
	for _, argument := range arguments {
		name, text, _ := strings.Cut(argument, "=")
		address, err := netip.ParseAddr(text)
		if err != nil || !address.Is4() {
			return nil, fmt.Errorf("%q is not NAME=IPv4-ADDRESS", argument)
		}
		known[strings.ToLower(name)+"."] = address
	}
	return known, nil
}

// answer makes the reply to a question.
func (n names) answer(question []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(question); err != nil {
		return nil, err
	}
	if len(message.Questions) != 1 {
		return nil, fmt.Errorf("%d questions, want 1", len(message.Questions))
	}
	asked := message.Questions[0]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: message.ID, Response: true, Authoritative: true, RecursionDesired: message.RecursionDesired, RecursionAvailable: true},
		Questions: message.Questions,
	}
	address, known := n[strings.ToLower(asked.Name.String())]
	switch {
	case !known:
		reply.RCode = dnsmessage.RCodeNameError
	case asked.Type == dnsmessage.TypeA:
		reply.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: asked.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 1},
			Body:   &dnsmessage.AResource{A: address.As4()},
		}}
	}
	return reply.Pack()
}
