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

// deferredValues are the deferred values of a line, in order.
type deferredValues []deferredValue

// set keeps a value in place of an earlier one of the same option.
func (d *deferredValues) set(v deferredValue) {
	d.unset(v.option, v.protocol)
	*d = append(*d, v)
}

// unset forgets the value of an option that has another one now.
func (d *deferredValues) unset(o Option, protocol ProtoOption) {
	if *d != nil {
		*d = slices.DeleteFunc(*d, func(v deferredValue) bool { return v.option == o && v.protocol == protocol })
	}
}

// takesLists reports whether lists select entries by the option. With -U a mark
// and a state are what entries are changed to.
func takesLists(r *Request, o Option, protocol ProtoOption) bool {
	switch {
	case r.Table == TableExpect || strings.IndexByte(selecting, byte(r.Command)) < 0:
		return false
	case r.Command == CmdUpdate:
		return protocol != ProtoOptState && (protocol != 0 || o != OptMark)
	}
	return r.Command != CmdNone
}

// finish applies the values to the request, and returns the error to report for a
// line that ended in err: a value that was rejected earlier in the line wins over
// it.
func (d deferredValues) finish(r *Request, err error) error {
	for i := range d {
		switch v := &d[i]; {
		case !takesLists(r, v.option, v.protocol):
			if v.refused != nil {
				return v.refused
			}
		case err != nil:
		case v.wrong != nil:
			return v.wrong
		default:
			if err := v.apply(r); err != nil {
				return err
			}
		}
	}
	return err
}
