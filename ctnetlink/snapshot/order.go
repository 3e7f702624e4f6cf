package snapshot

import (
	"encoding/binary"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// otherEndian is the byte order that this machine does not have.
var otherEndian = func() binary.ByteOrder {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}()

// swapHeader reverses the words of a netlink header. The nfnetlink header behind
// it stays: its res_id is big endian on all machines.
func swapHeader(msg []byte) {
	for _, word := range [][]byte{msg[0:4], msg[4:6], msg[6:8], msg[8:12], msg[12:16]} {
		slices.Reverse(word)
	}
}

// nestDepth bounds how deep attributes may be nested. The ports of a translation
// are at the fourth level.
const nestDepth = 8

// checkAttributes reports whether the lengths of a message's attributes fit it,
// and where the first one is that does not. With foreign it also converts the
// attributes to this machine's byte order: their headers, those inside attributes
// marked as nested (the kernel marks all of its own), and the words of label
// sets. All other numbers are big endian on every machine.
func checkAttributes(b []byte, foreign bool) (at int, ok bool) {
	if foreign {
		return swapAttributes(b, 0)
	}
	return wire.Check(b)
}

func swapAttributes(b []byte, depth int) (at int, ok bool) {
	for at < len(b) {
		if len(b)-at < wire.AttrHeaderLen || depth == nestDepth {
			return at, false
		}
		a := b[at:]
		slices.Reverse(a[0:2])
		slices.Reverse(a[2:4])
		n := int(binary.NativeEndian.Uint16(a))
		typ := binary.NativeEndian.Uint16(a[2:])
		if n < wire.AttrHeaderLen || n > len(a) {
			return at, false
		}
		val := a[wire.AttrHeaderLen:n]
		switch {
		case typ&wire.AttrNested != 0:
			if in, ok := swapAttributes(val, depth+1); !ok {
				return at + wire.AttrHeaderLen + in, false
			}
		case depth == 0 && (ctnetlink.Attr(typ) == ctnetlink.AttrLabels || ctnetlink.Attr(typ) == ctnetlink.AttrLabelsMask):
			// Expectations have no attributes of these numbers.
			for ; len(val) >= 4; val = val[4:] {
				slices.Reverse(val[:4])
			}
		}
		at += wire.Align(n)
	}
	return at, true
}
