package wire

import (
	"bytes"
	"encoding/binary"
)

// Attrs walks a sequence of netlink attributes without copying:
//
//	a := wire.Attrs{B: payload}
//	for a.Next() { a.Type, a.Val … }
//
// Declare it before the loop: a variable of the for statement is copied in each
// iteration, which makes the walk ten times slower.
//
// Next returns false at the end. Malformed then reports whether the sequence
// ended in a length that cannot be right: less than an attribute's header, or
// more than what is left. Up to three bytes of padding may be left in B.
type Attrs struct {
	B         []byte // the rest of the sequence
	Val       []byte // payload of the current attribute; aliases the sequence
	Type      uint16 // its number, without the flag bits
	Malformed bool
}

// Next moves to the next attribute.
func (a *Attrs) Next() bool {
	b := a.B
	if len(b) < AttrHeaderLen {
		return false
	}
	n := int(binary.NativeEndian.Uint16(b))
	if n < AttrHeaderLen || n > len(b) {
		a.Malformed = true
		return false
	}
	a.Type = binary.NativeEndian.Uint16(b[2:]) & AttrTypeMask
	a.Val = b[AttrHeaderLen:n]
	a.B = b[min(Align(n), len(b)):]
	return true
}

// Align rounds a length up to a multiple of 4.
func Align(n int) int { return (n + 3) &^ 3 }

// Find returns the payload of the last attribute numbered typ in b.
func Find(b []byte, typ uint16) (val []byte, ok bool) {
	// Attrs would be a third slower here.
	for len(b) >= AttrHeaderLen {
		n := int(binary.NativeEndian.Uint16(b))
		if n < AttrHeaderLen || n > len(b) {
			break
		}
		if binary.NativeEndian.Uint16(b[2:])&AttrTypeMask == typ {
			val, ok = b[AttrHeaderLen:n], true
		}
		b = b[min(Align(n), len(b)):]
	}
	return val, ok
}

// Check reports whether b is a sequence of attributes without trailing bytes. If
// it is not, at is the offset of the first attribute whose length cannot be right.
func Check(b []byte) (at int, ok bool) {
	for at < len(b) {
		if len(b)-at < AttrHeaderLen {
			return at, false
		}
		n := int(binary.NativeEndian.Uint16(b[at:]))
		if n < AttrHeaderLen || n > len(b)-at {
			return at, false
		}
		at += Align(n)
	}
	return at, true
}

// Find32 returns the big-endian number in the last attribute numbered typ; ok
// is false if there is none or it is shorter.
func Find32(b []byte, typ uint16) (v uint32, ok bool) {
	val, _ := Find(b, typ)
	if len(val) < 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(val), true
}

// Find64 is Find32 for numbers of 64 bits.
func Find64(b []byte, typ uint16) (v uint64, ok bool) {
	val, _ := Find(b, typ)
	if len(val) < 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(val), true
}

// CString returns a string attribute without its terminating NUL and what
// follows that.
func CString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}
