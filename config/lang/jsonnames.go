package lang

import "fmt"

// jsonLevel is an object or an array in which the scan of a JSON text is.
type jsonLevel struct {
	array bool
	skip  bool   // nothing inside is a block
	id    string // of the block that it is, "" for the root
	deep  int    // how many properties lead to it
	key   string // the property whose value comes next
	items int    // of an array: objects so far
}

// jsonNames is a scan for the blocks of a JSON text: the properties of the root joined with the labels below, and
// below those every property that is an object or an array of objects.
type jsonNames struct {
	ids  []string
	room int // bytes that the ids of blocks inside others may still have
	open []jsonLevel
	kind string // a property of the root below which no label was found yet
}

func (n *jsonNames) scan(src []byte) {
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '"':
			end := stringEnd(src, i)
			if last := len(n.open) - 1; last >= 0 && !n.open[last].array && isKey(src, end) {
				n.property(&n.open[last], string(unquote(src[i:end])))
			}
			i = end - 1
		case '{', '[':
			n.open = append(n.open, n.level(c == '['))
		case '}', ']':
			if last := len(n.open) - 1; last >= 0 {
				if n.open[last].deep == 0 {
					n.bare()
				}
				n.open = n.open[:last]
			}
		}
	}
}

// isKey tells that a colon follows.
func isKey(src []byte, at int) bool {
	for ; at < len(src); at++ {
		if !isBlank(src[at]) {
			return src[at] == ':'
		}
	}
	return false
}

// property takes a key. A label is a block's whatever its value is.
func (n *jsonNames) property(l *jsonLevel, key string) {
	l.key = key
	switch {
	case l.deep == 0:
		n.bare()
		if key != jsonComment {
			n.kind = key
		}
	case l.deep == 1 && !l.skip && key != jsonComment:
		n.kind = ""
		if n.room -= len(l.id); n.room >= 0 {
			n.ids = append(n.ids, l.id+"."+key)
		}
	}
}

// bare notes a property of the root that has no labels.
func (n *jsonNames) bare() {
	if n.kind != "" {
		n.ids = append(n.ids, n.kind)
		n.kind = ""
	}
}

// level is what a bracket opens.
func (n *jsonNames) level(array bool) jsonLevel {
	if len(n.open) == 0 {
		return jsonLevel{array: array}
	}
	parent := &n.open[len(n.open)-1]
	l := jsonLevel{array: array, skip: parent.skip, id: parent.id, deep: parent.deep}
	count := 1
	switch {
	case parent.skip:
		return l
	case parent.array:
		parent.items++
		count = parent.items
	case parent.key == jsonComment:
		l.skip = true
		return l
	default:
		l.deep++
		separator := "/"
		switch l.deep {
		case 1:
			separator = ""
			l.skip = parent.key == localsBlock
		case 2:
			separator = "."
		}
		if n.room -= len(l.id) + len(parent.key); n.room < 0 {
			l.skip = true
			return l
		}
		l.id += separator + parent.key
	}
	if array || l.deep < 3 {
		return l
	}
	n.room -= len(l.id)
	switch {
	case n.room < 0:
		l.skip = true
	case count > 1:
		n.ids = append(n.ids, fmt.Sprintf("%s#%d", l.id, count))
	default:
		n.ids = append(n.ids, l.id)
	}
	return l
}
