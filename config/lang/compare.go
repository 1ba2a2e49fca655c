package lang

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"unsafe"
)

// plan is how a file changes.
type plan struct {
	file         *sourceFile
	text         []byte
	pieces       []*piece
	from         int // of the pieces: those from here on have moved by so much
	bytes, lines int
}

// move is a piece that stands somewhere else as it is.
type move struct {
	piece *piece
	file  *sourceFile
	span  span
}

// compare finds the pieces that go and those that come.
func (e *Edit) compare() bool {
	byName := func(a, b File) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(e.texts, byName) {
		e.texts = slices.SortedStableFunc(slices.Values(e.texts), byName)
	}
	old := e.w.files
	for i, f := range e.texts {
		if i > 0 && f.Name == e.texts[i-1].Name {
			return false
		}
		for len(old) > 0 && old[0].name < f.Name {
			e.removed = append(e.removed, old[0].pieces...)
			old = old[1:]
		}
		file := &sourceFile{name: f.Name}
		if len(old) > 0 && old[0].name == f.Name {
			file, old = old[0], old[1:]
		}
		e.files = append(e.files, file)
		if len(f.Bytes) == 0 || !e.compareFile(file, f.Bytes) {
			return false
		}
	}
	for _, file := range old {
		e.removed = append(e.removed, file.pieces...)
	}
	e.findMoves()
	return len(e.files) > 0
}

func (e *Edit) compareFile(file *sourceFile, text []byte) bool {
	switch {
	case unsafe.SliceData(file.text) == unsafe.SliceData(text) && len(file.text) == len(text):
		return true
	case bytes.Equal(file.text, text):
		e.plans = append(e.plans, &plan{file: file, text: text, pieces: file.pieces, from: len(file.pieces)})
		return true
	case isJSON(file.name):
		p := &piece{file: file, span: span{end: len(text), line: 1}, fresh: text}
		e.removed, e.added = append(e.removed, file.pieces...), append(e.added, p)
		e.plans = append(e.plans, &plan{file: file, text: text, pieces: []*piece{p}, from: 1})
		return true
	}
	p := &plan{file: file, text: text}
	e.plans = append(e.plans, p)
	return e.compareNative(p)
}

// compareNative looks for blocks only between what the old text and the new have in common.
func (e *Edit) compareNative(p *plan) bool {
	old, before := p.file.text, p.file.pieces
	prefix := commonPrefix(old, p.text)
	same := max(0, sort.Search(len(before), func(i int) bool { return before[i].start > prefix })-1)
	s := splitter{text: p.text, line: 1}
	if same > 0 {
		s.at, s.line = before[same].start, before[same].line
	}
	from := s.at
	suffix := len(old) - commonSuffix(old[min(from, len(old)):], p.text[from:])
	p.bytes = len(p.text) - len(old)
	rest := same + sort.Search(len(before)-same, func(i int) bool { return before[same+i].start >= suffix })
	p.pieces = before[:same:same]
	end := len(p.text)
	for {
		block, more, ok := s.next()
		if !ok {
			return false
		}
		if !more {
			rest = len(before)
			break
		}
		for rest < len(before) && before[rest].start+p.bytes < block.start {
			rest++
		}
		if rest < len(before) && before[rest].start+p.bytes == block.start {
			p.lines, end = block.line-before[rest].line, block.start
			break
		}
		one := &piece{file: p.file, span: block, fresh: p.text[block.start:block.end]}
		p.pieces = append(p.pieces, one)
		e.added = append(e.added, one)
	}
	if firstNonText(p.text[from:end]) >= 0 {
		return false
	}
	e.removed = append(e.removed, before[same:rest]...)
	p.from = len(p.pieces)
	p.pieces = append(p.pieces, before[rest:]...)
	return true
}

// findMoves pairs blocks that came with equal ones that went.
func (e *Edit) findMoves() {
	if len(e.removed) == 0 || len(e.added) == 0 {
		return
	}
	byText := map[string]*piece{}
	for _, p := range e.removed {
		if !p.isJSON() {
			byText[string(p.text())] = p
		}
	}
	instead, moved := map[*piece]*piece{}, map[*piece]bool{}
	for _, p := range e.added {
		if known := byText[string(p.fresh)]; known != nil && !p.isJSON() && !moved[known] {
			instead[p], moved[known] = known, true
			e.moves = append(e.moves, move{known, p.file, p.span})
		}
	}
	if len(moved) == 0 {
		return
	}
	e.removed = slices.DeleteFunc(e.removed, func(p *piece) bool { return moved[p] })
	e.added = slices.DeleteFunc(e.added, func(p *piece) bool { return instead[p] != nil })
	for _, plan := range e.plans {
		for i, p := range plan.pieces {
			if i < plan.from && instead[p] != nil {
				plan.pieces[i] = instead[p]
			}
		}
	}
}
