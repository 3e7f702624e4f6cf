package ctnetlink

import "encoding/binary"

// attrs walks a run of netlink attributes without copying:
//
//	for a := (attrs{b: payload}); a.next(); { a.typ, a.val … }
//
// next returns false at the end; malformed then says whether the run ended in
// a length that cannot be (shorter than its own header, or past the end).
type attrs struct {
	b         []byte
	val       []byte // payload of the current attribute; aliases b
	typ       uint16 // its number, without the flag bits
	malformed bool
}

func (a *attrs) next() bool {
	b := a.b
	if len(b) < nlaHeaderLen {
		// Up to three bytes of padding may follow the last attribute.
		return false
	}
	n := int(binary.NativeEndian.Uint16(b))
	if n < nlaHeaderLen || n > len(b) {
		a.malformed = true
		return false
	}
	a.typ = binary.NativeEndian.Uint16(b[2:]) & nlaTypeMask
	a.val = b[nlaHeaderLen:n]
	if n = align4(n); n > len(b) {
		n = len(b)
	}
	a.b = b[n:]
	return true
}

func align4(n int) int { return (n + 3) &^ 3 }

// find returns the payload of the last attribute numbered typ in b.
func find(b []byte, typ uint16) (val []byte, ok bool) {
	for a := (attrs{b: b}); a.next(); {
		if a.typ == typ {
			val, ok = a.val, true
		}
	}
	return val, ok
}

// find32 is find for a big-endian u32.
func find32(b []byte, typ uint16) (uint32, bool) {
	v, ok := find(b, typ)
	if !ok || len(v) < 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// find64 is find for a big-endian u64.
func find64(b []byte, typ uint16) (uint64, bool) {
	v, ok := find(b, typ)
	if !ok || len(v) < 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(v), true
}

// cString cuts the terminating NUL off a string attribute.
func cString(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}
