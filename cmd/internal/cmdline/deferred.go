package cmdline

import (
	"slices"
	"strings"
)

// deferredValue is a value that only commands which select entries understand: a
// list, a range, a negation, a network where the classic command has none. The
// command can come later in the line, so the value is decided at its end.
type deferredValue struct {
	option   Option
	protocol ProtoOption // not 0: of the protocol
	// refused is the error for other commands; nil where they have read something
	// else from the value, as atoi(3) reads 80 from 80,443.
	refused error
	// wrong is what is wrong with the list itself.
	wrong error
	apply func(r *Request) error
}

// setList keeps a list in place of an earlier value of the same option.
func (p *parser) setList(l deferredValue) {
	p.unsetList(l.option, l.protocol)
	p.lists = append(p.lists, l)
}

// unsetList forgets the list of an option that has another value now.
func (p *parser) unsetList(o Option, protocol ProtoOption) {
	p.lists = slices.DeleteFunc(p.lists, func(l deferredValue) bool { return l.option == o && l.protocol == protocol })
}

// takesLists reports whether lists select entries by the option. With -U a mark
// and a state are what entries are changed to.
func (r *Request) takesLists(o Option, protocol ProtoOption) bool {
	switch {
	case r.Table == TableExpect || strings.IndexByte(selecting, byte(r.Command)) < 0:
		return false
	case r.Command == CmdUpdate:
		return protocol != ProtoOptState && (protocol != 0 || o != OptMark)
	}
	return r.Command != CmdNone
}

// finishLists decides what the lists of the line mean.
func (p *parser) finishLists() error {
	for i := range p.lists {
		l := &p.lists[i]
		if !p.req.takesLists(l.option, l.protocol) {
			if l.refused != nil {
				return l.refused
			}
			continue
		}
		if l.wrong != nil {
			return l.wrong
		}
		if err := l.apply(p.req); err != nil {
			return err
		}
	}
	return nil
}

// finishLine returns the error to report for a line that has lists: a rejected list
// earlier in the line wins over err.
func (p *parser) finishLine(err error) error {
	if err == nil {
		return p.finishLists()
	}
	for i := range p.lists {
		if l := &p.lists[i]; l.refused != nil && !p.req.takesLists(l.option, l.protocol) {
			return l.refused
		}
	}
	return err
}
