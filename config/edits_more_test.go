package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirproxy/weir/config/lang"
)

// The files beside the configuration that drawings read: certificates, and a link that is turned.
var (
	drawnCertificates = []string{"edge", "edge", "edge_again", "other", "expired", "future"}
	drawnPaths        = []string{"certs/one.crt", "./certs/../certs/one.crt", "ROOT/certs/one.crt", "ROOT/certs/../certs//one.crt", "now/one.crt"}
)

// options are those of a load: one file gives values to variables.
func (d *drawing) options() Options {
	return Options{Now: d.now, Prefix: "conf", Variables: lang.Variables{
		Files: []string{filepath.Join(d.root, "values") + "/../values/x.txt"}, Flags: []string{"flag=7"},
	}}
}

// path is one of several spellings of the path of a certificate.
func (d *drawing) path() string {
	return fmt.Sprintf("%q", strings.ReplaceAll(d.one("path", drawnPaths...), "ROOT", filepath.ToSlash(d.root)))
}

// settle writes the files beside the configuration as they are at the start.
func (d *drawing) settle() {
	d.write("note.txt", "note")
	d.write("note.tftpl", "${n} is n")
	d.write("notes/one", "")
	d.write("values/x.txt", "# none\n")
	for _, dir := range []string{"certs", "old"} {
		d.write(dir+"/one.crt", string(testFiles()["tls/edge.crt"]))
		d.write(dir+"/one.key", string(testFiles()["tls/edge.key"]))
	}
	d.turn("now", "certs")
	d.turn("notes/link", "../nothing.txt")
}

// turn makes a link lead somewhere else.
func (d *drawing) turn(name, to string) {
	name = filepath.Join(d.root, filepath.FromSlash(name))
	if at, err := os.Readlink(name); err == nil && at == to {
		return
	}
	_ = os.Remove(name)
	if err := os.Symlink(to, name); err != nil {
		d.t.Fatal(err)
	}
	d.links[name] = to
}

// remove removes a file beside the configuration.
func (d *drawing) remove(name string) {
	delete(d.beside, name)
	_ = os.Remove(filepath.Join(d.root, filepath.FromSlash(name)))
}

// back restores the files beside the configuration.
func (d *drawing) back(beside, links map[string]string) {
	for name := range maps.Clone(d.beside) {
		if _, was := beside[name]; !was {
			d.remove(name)
		}
	}
	for name, text := range beside {
		if now, is := d.beside[name]; !is || now != text {
			d.write(name, text)
		}
	}
	for name, to := range links {
		d.turn(strings.TrimPrefix(name, d.root+string(filepath.Separator)), to)
	}
}

// editBeside changes a file that the configuration reads.
func (d *drawing) editBeside() string {
	switch d.n("beside", 0, 8) {
	case 0, 1:
		name := d.one("certificate", drawnCertificates...)
		dir := d.one("dir", "certs", "old")
		d.write(dir+"/one.crt", string(testFiles()["tls/"+name+".crt"]))
		if d.n("key", 0, 4) > 0 {
			d.write(dir+"/one.key", string(testFiles()["tls/"+name+".key"]))
		}
		return "certificate: " + name
	case 2:
		d.turn("now", d.one("to", "certs", "old", "gone"))
		return "a link is turned"
	case 3:
		d.turn("notes/link", d.one("to", "../nothing.txt", "../note.txt", "../../outside.txt"))
		return "a link in notes is turned"
	case 4:
		if d.n("there", 0, 1) == 0 {
			d.remove("nothing.txt")
		} else {
			d.write("nothing.txt", "something")
		}
		return "nothing.txt"
	case 5:
		d.remove(d.one("gone", "note.txt", "certs/one.crt", "notes/one", "note.tftpl", "notes/two"))
		return "a file is gone"
	}
	d.write("values/x.txt", d.one("values", "# none\n", "number = 4\n", "text = \"seven !\"\nnumber = 2\n", "secret = \"other secret\"\nunknown = 1\n",
		"\n\nunknown = \"hunter2\"\nother = 2\n", "number = \n", "text = null\nsecret = \"four\"\n"))
	return "values of variables: " + d.beside["values/x.txt"]
}

// balancing is how an upstream's nodes are chosen, what is done about bad ones, and when to try again.
func (d *drawing) balancing() string {
	text := d.maybe(25, func() string {
		return d.one("balancing", "  load_balancing = \"least_request\"\n", "  load_balancing = \"random\"\n",
			"  load_balancing = \"ring_hash\"\n  hash_key {\n    header = \"x-user\"\n  }\n",
			"  load_balancing = \"maglev\"\n  hash_key {\n    cookie = \"c${local.a}\"\n    ttl = \"${local.b}s\"\n  }\n",
			"  load_balancing = \"maglev\"\n  hash_key { source_address = var.number > 3 }\n")
	})
	text += d.maybe(10, func() string {
		return "  slow_start {\n    window = \"1m\"\n    min_weight_percent = " + d.number() + "\n  }\n"
	})
	text += d.maybe(15, func() string {
		return d.one("health", "  health_check {\n    path = \"/${var.text}\"\n    interval = \"${local.c}s\"\n  }\n", "  health_check { type = \"tcp\" }\n",
			"  health_check {\n    expected_statuses = [\"200\", \"20${local.a}\"]\n  }\n  panic_threshold = local.b\n")
	})
	text += d.maybe(10, func() string { return "  outlier_detection {\n    consecutive_5xx = " + d.number() + "\n  }\n" })
	return text + d.maybe(15, func() string {
		return "  circuit_breaker {\n    max_requests = " + d.number() + "\n" + d.maybe(30, func() string { return "    max_retries = 9\n" }) + "  }\n"
	})
}

// retry is when attempts are repeated; where it switches them off no number may be said.
func (d *drawing) retry() string {
	text := d.one("retry", "", "", "", "  retry {\n    per_try_timeout = \"PT\"\n    budget {\n      percent = 20\n    }\n  }\n", "  retry { per_try_timeout = \"PT\" }\n",
		"  retry {\n    on = [\"50${local.a}\"]\n    back_off { base = \"${local.b}ms\" }\n  }\n", "  retry { on = [] }\n")
	return strings.ReplaceAll(text, "PT", d.one("try", "50ms", "100ms", "${local.a}0ms"))
}

// nodeTLS are the settings for calling the nodes over TLS.
func (d *drawing) nodeTLS() string {
	return d.maybe(50, func() string {
		return "  tls {\n" + d.one("tls", "    ca_file = "+d.path()+"\n", "    sni = \"s${local.a}.example.com\"\n", "    insecure_skip_verify = local.a > 3\n",
			"    insecure_skip_verify = true\n    ca_file = "+d.path()+"\n",
			"    sni = \"a.example.com\"\n    client_certificate_file = "+d.path()+"\n    client_key_file = \"now/one.key\"\n") + "  }\n"
	})
}

// listenerSettings is what a listener says beside its port; one with tls asks more.
func (d *drawing) listenerSettings() string {
	return d.maybe(30, func() string {
		text := "    tls {\n      certificate_file = \"tls/edge.crt\"\n      private_key_file = \"tls/edge.key\"\n    }\n"
		text = d.one("certificate", text, fmt.Sprintf("    tls {\n      certificate_file = %s\n      private_key_file = %q\n    }\n", d.path(), d.one("key", "certs/one.key", "now/one.key")))
		return text + d.maybe(40, func() string { return "    client_ca_file = " + d.path() + "\n" }) +
			d.maybe(40, func() string {
				return d.one("http3", "    http3 {}\n", "    http3 {\n      advertised_port = "+d.number()+"\n    }\n")
			})
	}) + d.maybe(20, func() string {
		return d.one("setting", "    xff_num_trusted_hops = "+d.number()+"\n", "    proxy_protocol = var.number > 2\n", "    idle_timeout = \"${local.c}m\"\n", "    max_request_headers_kb = 9\n")
	})
}

// watching is an instance's log and spans.
func (d *drawing) watching() string {
	return d.maybe(20, func() string {
		return d.one("watching", "  access_log {\n    path = \"/var/log/${var.text}\"\n  }\n", "  tracing {\n    otlp = \"collector${local.a}:4317\"\n    sampling = local.b / 10\n  }\n")
	})
}

// conditions are those of an API beside path and method.
func (d *drawing) conditions() string {
	return d.maybe(25, func() string {
		return d.one("condition", "    header \"x-a\" {\n      exact = \"v${local.a}\"\n    }\n", "    header \"X-A\" {\n      exact = \"v1\"\n    }\n", "    query \"q\" { present = local.b > 2 }\n",
			"    dynamic \"query\" {\n      for_each = range(local.a > 4 ? 2 : 1)\n      labels = [\"q${query.value}\"]\n      content {\n        exact = var.text\n      }\n    }\n")
	})
}

// policies are what a service and an API may say alike.
func (d *drawing) policies() string {
	return d.maybe(15, func() string {
		return d.one("policy", "  request_headers {\n    set = { \"x-${var.text}\" = \"${local.a}\" }\n  }\n", "  response_headers {\n    remove = [\"x-a\"]\n    add = { for i in [1, local.b] : \"x-${i}\" => trimspace(file(\"note.txt\")) if i > 1 }\n  }\n",
			"  rate_limit {\n    requests = local.c\n  }\n", "  cors {\n    allow_origins = [\"https://a${local.d}.example.com\"]\n  }\n", "  ip_rules {\n    deny = [cidrsubnet(\"10.0.0.0/8\", 8, var.number)]\n  }\n")
	})
}

// backend is what answers an API.
func (d *drawing) backend() string {
	up := func() string { return "upstream = " + d.ref("upstream", drawnUpstreams) }
	switch d.n("backend", 0, 14) {
	case 0:
		return "mock {\n        body = \"${var.text}\"\n      }"
	case 1:
		return "url = \"" + d.one("url", "http://one.example.com", "https://one.example.com", "http://10.9.0.1", "https://192.0.2.1:444") + "\""
	case 2, 3:
		weight := ""
		if d.n("weights", 0, 1) == 0 {
			weight = "\n          weight = " + d.number()
		}
		targets := slices.Repeat([]string{"target"}, d.n("targets", 2, 3))
		for i := range targets {
			targets[i] = fmt.Sprintf("        target {\n          %s%s\n        }\n", up(), weight)
		}
		return "split {\n" + strings.Join(targets, "") + "      }"
	case 4:
		return d.one("redirect", "redirect {\n        scheme = \"https\"\n      }", "redirect {\n        host = \"a.example.com\"\n        path_prefix = \"/${local.a}\"\n      }",
			"redirect {\n        path = \"/a\"\n      }", "redirect {\n        path = \"/b\"\n      }", "redirect {\n        path = \"/c/${local.a}\"\n      }", "redirect {\n        scheme = \"https\"\n        host = \"${var.text}.example.com\"\n        strip_query = local.a > 3\n      }")
	case 5, 6:
		return up() + "\n      mirror {\n        " + up() + "\n        percent = " + d.number() + "\n      }"
	}
	return up()
}
