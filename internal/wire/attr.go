package wire

import "encoding/binary"

// Attrs walks a run of netlink attributes without copying:
//
//	for a := (wire.Attrs{B: payload}); a.Next(); { a.Type, a.Val … }
//
// Next returns false at the end; Malformed then says whether the run ended in
// a length that cannot be (shorter than its own header, or past the end).
type Attrs struct {
	B         []byte // what is still to be walked
	Val       []byte // payload of the current attribute; aliases the run
	Type      uint16 // its number, without the flag bits
	Malformed bool
}

// Next moves to the next attribute.
func (a *Attrs) Next() bool {
	b := a.B
	if len(b) < AttrHeaderLen {
		// Up to three bytes of padding may follow the last attribute.
		return false
	}
	n := int(binary.NativeEndian.Uint16(b))
	if n < AttrHeaderLen || n > len(b) {
		a.Malformed = true
		return false
	}
	a.Type = binary.NativeEndian.Uint16(b[2:]) & AttrTypeMask
	a.Val = b[AttrHeaderLen:n]
	if n = Align(n); n > len(b) {
		n = len(b)
	}
	a.B = b[n:]
	return true
}

// Align rounds a length up to a multiple of 4.
func Align(n int) int { return (n + 3) &^ 3 }
