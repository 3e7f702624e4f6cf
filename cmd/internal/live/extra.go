package live

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// extras are what few entries have, such as the name of a helper and labels: as
// attributes, the way the table sent them. Entries that have the same share one. One
// that no entry has is forgotten.
type extras struct {
	all   []extra // by number; 0 is not used
	index map[string]uint32
	free  []uint32
	build wire.Builder
}

type extra struct {
	attrs string
	users uint32
}

// attrs returns the attributes of an extra.
func (x *extras) attrs(n uint32) string {
	if n == 0 {
		return ""
	}
	return x.all[n].attrs
}

// intern returns the number of an extra with the given attributes, which has one
// user more.
func (x *extras) intern(attrs []byte) uint32 {
	if len(attrs) == 0 {
		return 0
	}
	n, ok := x.index[string(attrs)]
	if ok {
		x.all[n].users++
		return n
	}
	if x.index == nil {
		x.index, x.all = map[string]uint32{}, make([]extra, 1)
	}
	if last := len(x.free) - 1; last >= 0 {
		n, x.free = x.free[last], x.free[:last]
	} else {
		n = uint32(len(x.all))
		x.all = append(x.all, extra{})
	}
	x.all[n] = extra{string(attrs), 1}
	x.index[x.all[n].attrs] = n
	return n
}

// release takes a user away from an extra.
func (x *extras) release(n uint32) {
	if n == 0 {
		return
	}
	e := &x.all[n]
	if e.users--; e.users == 0 {
		delete(x.index, e.attrs)
		*e = extra{}
		x.free = append(x.free, n)
	}
}

// rare are the attributes that extras are made of, in their order.
var rare = [...]ctnetlink.Attr{
	ctnetlink.AttrTupleOrig, ctnetlink.AttrTupleReply, ctnetlink.AttrZone, ctnetlink.AttrStatus,
	ctnetlink.AttrProtoInfo, ctnetlink.AttrHelp, ctnetlink.AttrLabels, ctnetlink.AttrUse, ctnetlink.AttrSecMark,
	ctnetlink.AttrSecCtx,
}

// change makes an extra of those of the attributes in set that f has; unless whole is
// true, also of those that extra n has and f has not. It returns its number in place of
// n, which loses a user.
func (x *extras) change(n uint32, f *ctnetlink.Flow, set ctnetlink.AttrSet, whole bool) uint32 {
	if n == 0 && set == 0 {
		return 0
	}
	was := x.attrs(n)
	x.build.B = x.build.B[:0]
	for _, a := range rare {
		switch {
		case f.Has(a):
			if set.Has(a) {
				val, _ := f.Raw(a)
				x.put(a, val)
			}
		case !whole && was != "":
			if val, ok := wire.Find([]byte(was), uint16(a)); ok {
				x.put(a, val)
			}
		}
	}
	if string(x.build.B) == was {
		return n
	}
	next := x.intern(x.build.B)
	x.release(n)
	return next
}

// maxExtra bounds the attributes of an extra, in bytes. What the kernel sends has no
// tenth of that.
const maxExtra = 8 << 10

// put adds an attribute to the extra that is being made.
func (x *extras) put(a ctnetlink.Attr, val []byte) {
	if len(x.build.B)+len(val) > maxExtra {
		return
	}
	typ := uint16(a)
	switch a {
	case ctnetlink.AttrTupleOrig, ctnetlink.AttrTupleReply, ctnetlink.AttrProtoInfo, ctnetlink.AttrHelp,
		ctnetlink.AttrSecCtx:
		typ |= wire.AttrNested
	}
	b := binary.NativeEndian.AppendUint16(x.build.B, uint16(wire.AttrHeaderLen+len(val)))
	b = append(binary.NativeEndian.AppendUint16(b, typ), val...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	x.build.B = b
}
