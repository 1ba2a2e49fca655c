package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/weirproxy/weir/config/source"
)

// drawing is a configuration that random edits change: files of blocks, each a text of its own, and what functions read.
type drawing struct {
	t     *rapid.T
	root  string
	files map[string][]string // native: blocks, comments and blank lines in their order
	json  map[string]string
	now   time.Time

	beside, links map[string]string // what stands in other files, and where links lead
}

// The names in a drawing. A few, so that edits meet.
var (
	drawnVPCs      = []string{"v0", "v1", "2nd"}
	drawnInstances = []string{"e0", "e1"}
	drawnUpstreams = []string{"u0", "u1", "u2", "u3", "u4"}
	drawnServices  = []string{"s0", "s1", "s2", "s3"}
	drawnLocals    = []string{"a", "b", "c", "d", "e"}
	drawnFiles     = []string{"a.hcl", "b.hcl", "d/c.hcl"}
)

func (d *drawing) one(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(d.t, label)
}

func (d *drawing) n(label string, from, to int) int {
	return rapid.IntRange(from, to).Draw(d.t, label)
}

// maybe is a text in some cases.
func (d *drawing) maybe(percent int, text func() string) string {
	if d.n("maybe", 0, 99) < percent {
		return text()
	}
	return ""
}

// ref is a reference, most often as people write it.
func (d *drawing) ref(kind string, names []string) string {
	name := d.one(kind, names...)
	plain := fmt.Sprintf("%s[%q]", kind, name)
	if name[0] > '9' {
		plain = kind + "." + name
	}
	switch d.n("form", 0, 19) {
	case 0:
		return fmt.Sprintf("%s[%q]", kind, name)
	case 1:
		return fmt.Sprintf("%s[sort(keys(%s))[0]]", kind, kind)
	case 2:
		return fmt.Sprintf("[for name, one in %s : one if name != \"x\"][0]", kind)
	case 3:
		return fmt.Sprintf("try(%s, %s)", plain, plain)
	case 4:
		return fmt.Sprintf("local.%s > 2 ? %s : %s", d.local(), plain, plain)
	case 5:
		return fmt.Sprintf("%s[length(var.text) > 3 ? %q : %q]", kind, name, names[0])
	}
	return plain
}

func (d *drawing) local() string { return d.one("local", drawnLocals...) }

// number is an expression that is most often 1 to 9.
func (d *drawing) number() string {
	switch d.n("number", 0, 11) {
	case 0, 1:
		return "local." + d.local()
	case 2:
		return "length(var.text)"
	case 3:
		return fmt.Sprintf("length(%s)", d.one("kind", "vpc", "upstream", "service", "instance"))
	case 4:
		return "length(file(\"note.txt\"))"
	case 5:
		return fmt.Sprintf("length(fileset(\"notes\", \"*\")) + %d", d.n("n", 1, 3))
	case 6:
		return fmt.Sprintf("max(local.%s, var.number)", d.local())
	}
	return fmt.Sprint(d.n("n", 1, 9))
}

func (d *drawing) description() string {
	return d.maybe(30, func() string {
		return "  description = " + d.one("text", `"plain"`, `"${local.a} of ${var.text}"`, "file(\"note.txt\")", "<<EOT\n  upstream \"x\" {\n ${ local.b } }\nEOT",
			"<<-EOT\n    two\n    lines %{ if local.c > 3 }more%{ endif }\n  EOT", `"} # {"`, "templatefile(\"note.tftpl\", { n = local.d })", "var.secret", `"$${x} \" {"`) + "\n"
	})
}

// block is a block of a kind and a name, with a random inside.
func (d *drawing) block(kind, name string) string {
	var inside string
	switch kind {
	case "vpc":
		inside = d.maybe(60, func() string {
			return "  cidr_blocks = " + d.one("cidrs", `["10.0.0.0/8"]`, `["10.0.0.0/16", "10.1.0.0/16"]`, `["10.9.0.0/16"]`, `[cidrsubnet("10.0.0.0/8", 8, 1)]`) + "\n"
		})
	case "ccn":
		inside = "  vpcs = " + d.one("vpcs", "values(vpc)", "[vpc.v0, vpc.v1]", "[vpc.v0]", "[for v in vpc : v]") + "\n"
	case "instance":
		inside = "  vpc = " + d.ref("vpc", drawnVPCs) + "\n"
		for i := range d.n("listeners", 1, 2) {
			inside += fmt.Sprintf("  listener \"l%d\" {\n    port = %d\n%s  }\n", i, 8000+10*i+d.n("port", 0, 3), d.listenerSettings())
		}
		inside += d.watching()
	case "upstream":
		inside = d.upstream()
	case "service":
		inside = d.service()
	case "variable":
		return d.variable(name)
	}
	return fmt.Sprintf("%s %q {\n%s%s}\n", kind, name, d.description(), inside)
}

func (d *drawing) upstream() string {
	text := "  vpc = " + d.ref("vpc", drawnVPCs) + "\n  protocol = " + d.one("protocol", `"http"`, `"http"`, `"http"`, `"https"`, `"https"`, `"grpc"`) + "\n"
	retry := d.retry()
	if text += retry; !strings.Contains(retry, "[]") {
		text += d.maybe(30, func() string { return "  retries = " + d.number() + "\n" })
	}
	if strings.Contains(text, "\"https\"") {
		text += d.nodeTLS()
	}
	text += d.balancing()
	text += d.maybe(10, func() string { return "  host_header = \"host.example.com\" # a comment }\n" })
	weight := d.maybe(50, func() string { return "w" })
	for i := range d.n("nodes", 1, 3) {
		inside := " {}"
		if weight != "" {
			inside = fmt.Sprintf(" { weight = %s }", d.number())
		}
		text += fmt.Sprintf("  node \"%s.%d:80\"%s\n", d.one("net", "10.0.0", "10.0.0", "10.1.0", "10.9.9"), i+1, inside)
	}
	return text + d.maybe(15, func() string {
		return "  dynamic \"node\" {\n    for_each = toset([\"x\", \"y${local.a}\"])\n    labels   = [\"${node.value}.example.com:80\"]\n    content {\n" +
			map[bool]string{true: "      weight = local.b\n"}[weight != ""] + "    }\n  }\n"
	})
}

func (d *drawing) service() string {
	text := "  instance = " + d.ref("instance", drawnInstances) + "\n"
	text += d.maybe(70, func() string {
		return fmt.Sprintf("  domains = [%q]\n", d.one("domain", "a", "b", "c", "*.d")+".example.com")
	})
	text += d.maybe(20, func() string { return "  listeners = [\"l0\"]\n" })
	text += d.policies()
	for i := range d.n("apis", 0, 2) {
		path := d.one("path", "path_prefix = \"/a\"", "path_prefix = \"/b\"", "path = \"/a/{id}\"", "path = \"/a\"", "path = \"/b\"", "path = \"/a\"", "path = \"/b\"", "path = \"/c/${local.a}\"", "path = \"/:id\"", "")
		text += fmt.Sprintf("  api \"a%d\" {\n    methods = [%q]\n    %s\n%s    backend {\n      %s\n%s    }\n  }\n", i, d.one("method", "GET", "POST", "PUT"), path, d.conditions()+d.policies()+d.maybe(8, func() string { return "    websocket = local.a > 2\n" }), d.backend(),
			d.maybe(30, func() string {
				return "      timeout = " + d.one("timeout", `"1s"`, `"20ms"`, `"50ms"`, `"${local.a}ms"`) + "\n"
			}))
	}
	return text
}

func (d *drawing) variable(name string) string {
	sensitive := ""
	value := fmt.Sprint(d.n("value", 1, 9))
	switch name {
	case "text":
		value = d.one("default", `"four"`, `"fiver"`, `"six"`)
	case "secret":
		value, sensitive = d.one("secret", `"hunter2"`, `"swordfish"`), "  sensitive = true\n"
	case "number":
		value = d.one("default", value, value, "length(fileset(\"notes\", \"*\")) + 1", "length(file(\"note.txt\"))")
	}
	return fmt.Sprintf("variable %q {\n  default = %s\n%s}\n", name, value, sensitive)
}

// locals defines all locals, in one block or two.
func (d *drawing) locals(names []string) string {
	text := "locals {\n"
	for i, name := range names {
		value := fmt.Sprint(d.n("value", 1, 9))
		switch d.n("definition", 0, 9) {
		case 0, 1, 2:
			value = fmt.Sprintf("min(local.%s + %d, 9)", drawnLocals[d.n("earlier", 0, len(drawnLocals)-1)], i%2)
		case 3:
			value = "max(1, length(upstream))"
		case 4:
			value = "length(file(\"note.txt\"))"
		case 5:
			value = "var.number"
		case 6:
			value = "upstream.u0 == upstream[\"u1\"] ? 1 : 2"
		}
		text += fmt.Sprintf("  %s = %s\n", name, value)
	}
	return text + "}\n"
}

// start is a configuration that is good.
func (d *drawing) start() {
	d.files = map[string][]string{
		"a.hcl": {
			"# all\n", "vpc \"v0\" {\n  cidr_blocks = [\"10.0.0.0/16\"]\n}\n", "vpc \"v1\" {\n  cidr_blocks = [\"10.1.0.0/16\"]\n}\n", "vpc \"2nd\" {}\n", "\n",
			"ccn \"c\" {\n  vpcs = values(vpc)\n}\n", "variable \"text\" {\n  default = \"four\"\n}\n", "variable \"number\" {\n  default = 3\n}\n",
			"variable \"flag\" {\n  type = number\n}\n", "variable \"secret\" {\n  default = \"hunter2\"\n  sensitive = true\n}\n",
			"locals {\n  a = 1\n  b = local.a + 1\n  c = 3\n  d = local.b\n  e = local.d\n}\n",
		},
		"b.hcl": {
			"instance \"e0\" {\n  vpc = vpc.v0\n  listener \"l0\" {\n    port = 8000\n  }\n}\n", "instance \"e1\" {\n  vpc = vpc.v1\n  listener \"l0\" {\n    port = 8000\n  }\n  listener \"l1\" {\n    port = 8001\n  }\n}\n",
		},
		"d/c.hcl": {},
	}
	d.json = map[string]string{}
	for _, name := range drawnUpstreams {
		d.files["b.hcl"] = append(d.files["b.hcl"], fmt.Sprintf("upstream %q {\n  vpc = vpc.v0\n  protocol = \"http\"\n  retries = local.e\n  node \"10.0.0.1:80\" {}\n}\n", name))
	}
	for i, name := range drawnServices {
		d.files["d/c.hcl"] = append(d.files["d/c.hcl"], fmt.Sprintf("service %q {\n  instance = instance.e%d\n  domains = [\"%s.example.com\"]\n  api \"a\" {\n    backend {\n      upstream = upstream.u%d\n    }\n  }\n}\n", name, i%2, name, i))
	}
	d.beside, d.links = map[string]string{}, map[string]string{}
	d.settle()
}

func (d *drawing) write(name, text string) {
	path := filepath.Join(d.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
	d.beside[name] = text
}

// place finds a random piece of a random file, or the end of it.
func (d *drawing) place(atEnd int) (file string, at int, ok bool) {
	file = d.one("file", drawnFiles...)
	last := len(d.files[file]) - 1 + atEnd
	if last < 0 {
		return file, 0, false
	}
	return file, d.n("at", 0, last), true
}

// edit changes something, and says what.
func (d *drawing) edit() string {
	file, at, ok := d.place(0)
	if !ok {
		d.files[file] = []string{"# nothing\n"}
		return "a comment in a file without blocks"
	}
	pieces := d.files[file]
	switch d.n("edit", 0, 25) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		return d.rewrite(file, at)
	case 8:
		d.files[file] = slices.Delete(slices.Clone(pieces), at, at+1)
		return "removes " + pieces[at]
	case 9, 10:
		to, where, _ := d.place(1)
		piece := pieces[at]
		d.files[file] = slices.Delete(slices.Clone(pieces), at, at+1)
		d.files[to] = slices.Insert(slices.Clone(d.files[to]), min(where, len(d.files[to])), piece)
		return "moves to " + to + ": " + piece
	case 11:
		d.files[file] = slices.Insert(slices.Clone(pieces), at, d.one("gap", "\n", "\n\n\n", "# one\n", "/* two\nlines { */\n", "// } \"\n", "\r\n"))
		return "a gap"
	case 12:
		kind := d.one("kind", "upstream", "service", "instance", "vpc", "ccn")
		names := map[string][]string{"upstream": drawnUpstreams, "service": drawnServices, "instance": drawnInstances, "vpc": drawnVPCs, "ccn": {"c", "d"}}[kind]
		d.files[file] = slices.Insert(slices.Clone(pieces), at, d.block(kind, d.one("name", names...)))
		return "adds " + kind
	case 13:
		return d.damage(file, at)
	case 14:
		d.write("note.txt", d.one("note", "note", "no", "another", "x ${local.a}"))
		return "note.txt"
	case 15:
		d.write("notes/"+d.one("name", "two", "three"), "")
		return "notes"
	case 16:
		return d.drawJSON()
	case 17:
		d.now = d.now.Add(time.Duration(d.n("days", 1, 100)) * 24 * time.Hour)
		return "time"
	case 18:
		d.files[file], d.files["d/c.hcl"] = d.files["d/c.hcl"], d.files[file]
		return "two files change names"
	case 19:
		text := pieces[at]
		d.files[file] = slices.Clone(pieces)
		d.files[file][at] = strings.ReplaceAll(text, " = ", "  =  ")
		return "white space"
	case 20:
		d.write("note.tftpl", d.one("template", "${n} is n", "n is ${n}", "${m}"))
		return "note.tftpl"
	case 21, 22, 23:
		return d.editBeside()
	}
	d.rewrite(file, at)
	other, where, ok := d.place(0)
	if ok {
		return "two: " + d.rewrite(other, where)
	}
	return "one"
}

// rewrite gives a block another inside.
func (d *drawing) rewrite(file string, at int) string {
	pieces := slices.Clone(d.files[file])
	words := strings.Fields(pieces[at])
	switch {
	case len(words) > 0 && words[0] == "locals":
		var names []string
		for _, name := range drawnLocals {
			if strings.Contains(pieces[at], "  "+name+" = ") || strings.Contains(pieces[at], "  "+name+"  =  ") {
				names = append(names, name)
			}
		}
		pieces[at] = d.locals(names)
		if len(names) > 1 && d.n("apart", 0, 3) == 0 {
			pieces[at] = d.locals(names[:1])
			pieces = slices.Insert(pieces, at, d.locals(names[1:]))
		}
	case len(words) > 1 && strings.HasPrefix(words[1], "\""):
		name := strings.Trim(words[1], "\"")
		if d.n("rename", 0, 19) == 0 {
			name = d.one("name", append([]string{"x"}, drawnUpstreams...)...)
		}
		pieces[at] = d.block(words[0], name)
	default:
		pieces[at] = "# again\n"
	}
	d.files[file] = pieces
	return "rewrites to " + pieces[at]
}

// damage makes a text that does not parse, or that is unusual.
func (d *drawing) damage(file string, at int) string {
	pieces := slices.Clone(d.files[file])
	text := pieces[at]
	cut := d.n("cut", 0, len(text))
	switch d.n("damage", 0, 5) {
	case 0:
		pieces[at] = text[:cut]
	case 1:
		pieces[at] = text[:cut] + d.one("stray", "{", "}", "\"", "<<EOT\n", "\x00", "${", "/*") + text[cut:]
	case 2:
		pieces[at] = "/* before */ " + text
	case 3:
		pieces[at] = strings.TrimSuffix(text, "\n") + " /* behind */\n"
	case 4:
		pieces[at] = strings.TrimSuffix(text, "\n")
	case 5:
		pieces[at] = "  " + strings.ReplaceAll(text, "\n", "\r\n")
	}
	d.files[file] = pieces
	return "damages to " + pieces[at]
}

// drawJSON writes the JSON file, or removes it.
func (d *drawing) drawJSON() string {
	text := d.one("json", "",
		`{"upstream": {"j0": {"vpc": "${vpc.v0}", "protocol": "http", "retries": "${local.a}", "node": {"10.0.0.9:80": {}}}}}`,
		`{"upstream": {"j0": {"vpc": "${vpc.v0}", "protocol": "https", "node": {"10.0.0.9:80": {}}}, "j1": {"vpc": "${vpc[keys(vpc)[0]]}", "protocol": "http", "node": {"j.example.com:80": {"description": "${file(\"note.txt\")}"}}}}}`,
		`{"service": {"j": {"instance": "${instance.e0}", "domains": ["j.example.com"], "api": {"a": {"path": "/:x", "backend": {"mock": {"body": "${var.secret}"}}}}}}, "locals": {"j": "${local.b}"}, "variable": {"j": {"default": 1}}}`,
		`{"upstream": {"j0": {}}}`, `{"upstream": `)
	if text == "" {
		delete(d.json, "j.hcl.json")
	} else {
		d.json["j.hcl.json"] = text
	}
	return "JSON: " + text
}

// snapshot is what would be read.
func (d *drawing) snapshot() *source.Snapshot {
	s := &source.Snapshot{Root: d.root}
	for name, pieces := range d.files {
		s.Files = append(s.Files, source.File{Name: name, Bytes: []byte(strings.Join(append([]string{}, pieces...), ""))})
	}
	for name, text := range d.json {
		s.Files = append(s.Files, source.File{Name: name, Bytes: []byte(text)})
	}
	slices.SortFunc(s.Files, func(a, b source.File) int { return strings.Compare(a.Name, b.Name) })
	return s
}
