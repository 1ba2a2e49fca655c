package main

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/envoy"
	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/xds"
)

// weir asks nobody but who connected to it.
func TestAdminAddress(t *testing.T) {
	for _, test := range []struct{ says, from, want, wrong string }{
		{"0.0.0.0:9901", "10.0.0.7:4000", "10.0.0.7:9901", ""},
		{"[::]:9901", "10.0.0.7:4000", "10.0.0.7:9901", ""},
		{"[::]:9901", "[::ffff:10.0.0.7]:4000", "10.0.0.7:9901", ""},
		{"0.0.0.0:9901", "[fd00::7]:4000", "[fd00::7]:9901", ""},
		{"10.0.0.7:9901", "10.0.0.7:4000", "10.0.0.7:9901", ""},
		{"127.0.0.1:9901", "127.0.0.1:4000", "127.0.0.1:9901", ""},
		{"[::1]:9901", "127.0.0.1:4000", "[::1]:9901", ""},
		{"127.0.0.1:9901", "unix", "127.0.0.1:9901", ""},
		{"0.0.0.0:9901", "unix", "127.0.0.1:9901", ""},
		{"127.0.0.1:9901", "10.0.0.7:4000", "", "another machine"},
		{"169.254.169.254:80", "10.0.0.7:4000", "", "connects from 10.0.0.7"},
		{"10.0.0.8:9901", "unix", "", "connects from 127.0.0.1"},
		{"metadata.internal:80", "10.0.0.7:4000", "", "something else"},
		{"", "10.0.0.7:4000", "", "--envoy-admin-address"},
	} {
		got, err := adminAddress(xds.Proxy{Admin: test.says, Address: test.from})
		if got != test.want || (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%q from %q: %q, %v; want %q, %q", test.says, test.from, got, err, test.want, test.wrong)
		}
	}
}

func TestNodeStates(t *testing.T) {
	u := &model.Upstream{Nodes: []model.Node{
		{Host: "10.0.0.1", Port: 80}, {Host: "::1", Port: 80}, {Host: "a.internal", Port: 80}, {Host: "a.internal", Port: 81},
		{Host: "b.internal", Port: 80}, {Host: "10.0.0.2", Port: 80},
	}}
	got := nodeStates(u, []envoy.Endpoint{
		{Address: "10.0.0.1:80", Port: 80},
		{Address: "[::1]:80", Port: 80, Health: envoy.Unhealthy},
		{Address: "10.0.1.1:80", Hostname: "a.internal", Port: 80, Health: envoy.Unhealthy},
		{Address: "10.0.1.2:80", Hostname: "a.internal", Port: 80},
		{Address: "10.0.1.1:81", Hostname: "a.internal", Port: 81, Health: envoy.Unhealthy},
		{Address: "10.0.1.3:80", Hostname: "b.internal", Port: 80, Health: envoy.Pending},
	})
	want := map[string]admin.NodeState{
		"10.0.0.1:80": admin.Healthy, "[::1]:80": admin.Unhealthy, "a.internal:80": admin.Healthy, "a.internal:81": admin.Unhealthy,
		"b.internal:80": admin.Unknown, "10.0.0.2:80": admin.Unknown,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(- wanted, + found)\n%s", diff)
	}
}

func TestWriteStates(t *testing.T) {
	say := func(states ...admin.NodeState) (all []admin.Statement) {
		for i, s := range states {
			all = append(all, admin.Statement{Proxy: "n" + string(rune('1'+i)), State: s})
		}
		return all
	}
	u := admin.Upstream{
		Name: "orders",
		Nodes: []admin.Node{
			{Address: "10.0.0.1:80", Weight: 1, Percent: 100, State: admin.Healthy, States: say(admin.Healthy, admin.Healthy)},
			{Address: "10.0.0.2:80", Weight: 1, State: admin.Unhealthy, States: say(admin.Healthy, admin.Unhealthy)},
			{Address: "10.0.0.3:80", Weight: 1, State: admin.Unhealthy, States: say(admin.Unhealthy, admin.Unhealthy, admin.Unhealthy, admin.Unhealthy, admin.Healthy)},
			{Address: "10.0.0.4:80", State: admin.Off},
			{Address: "10.0.0.5:80", Weight: 1, State: admin.Unknown},
		},
		Witnesses: []admin.Witness{{Node: "n1", Instance: "edge"}, {Node: "n9", Instance: "edge", Error: "it is\ngone"}},
	}
	var b bytes.Buffer
	if err := writeUpstream(&b, u); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"NODE         WEIGHT  SHARE     STATE                                    PLACE\n",
		"10.0.0.1:80  1       100.0%    healthy ",
		"10.0.0.2:80  1       0.0%      unhealthy at n2 of 2 ",
		"10.0.0.3:80  1       0.0%      unhealthy at n1, n2, n3 and 1 more of 5  \n",
		"10.0.0.4:80  0       disabled  off ",
		"10.0.0.5:80  1       0.0%      unknown ",
		"PROXY  INSTANCE  SAYS NOTHING, SINCE\nn9     edge      it is gone\n",
	} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("no %q in\n%s", line, b.String())
		}
	}
}

// An Envoy that takes connections and says nothing holds up the answer for a bounded time, however many there are.
func TestHealthDoesNotWait(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	u := &model.Upstream{Name: "orders", Nodes: []model.Node{{Host: "10.0.0.1", Port: 80, Weight: 1}}}
	l, started := new(loop), time.Now()
	var asked []xds.Proxy
	for range 100 {
		asked = append(asked, xds.Proxy{Node: "n", Instance: "edge", Address: "127.0.0.1:1", Admin: silent.Addr().String()})
	}
	for _, w := range l.askAll(t.Context(), asked, u) {
		if w.Says != nil || !strings.Contains(w.Error, "does not answer") {
			t.Errorf("%+v", w)
		}
	}
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("that took %s", took)
	}
}
