package ctnetlink

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// find returns the payload of the last attribute numbered typ in b.
func find(b []byte, typ uint16) (val []byte, ok bool) {
	for a := (wire.Attrs{B: b}); a.Next(); {
		if a.Type == typ {
			val, ok = a.Val, true
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

func align4(n int) int { return wire.Align(n) }
