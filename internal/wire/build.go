package wire

import "encoding/binary"

// Builder appends netlink messages to a byte slice.
type Builder struct {
	B     []byte
	start int // where the current message begins
}

// Begin starts a message of nfnetlink. Its length is filled in by End.
func (w *Builder) Begin(typ, flags uint16, seq, portID uint32, family, version uint8, resID uint16) {
	w.BeginPlain(typ, flags, seq, portID)
	b := append(w.B, family, version)
	w.B = binary.BigEndian.AppendUint16(b, resID)
}

// BeginPlain starts a message that has no header but netlink's own.
func (w *Builder) BeginPlain(typ, flags uint16, seq, portID uint32) {
	w.start = len(w.B)
	b := binary.NativeEndian.AppendUint32(w.B, 0)
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	w.B = binary.NativeEndian.AppendUint32(b, portID)
}

// End closes the message that Begin opened.
func (w *Builder) End() {
	binary.NativeEndian.PutUint32(w.B[w.start:], uint32(len(w.B)-w.start))
}

// attr appends an attribute header for a payload of n bytes.
func (w *Builder) attr(typ uint16, n int) {
	w.B = binary.NativeEndian.AppendUint16(w.B, uint16(AttrHeaderLen+n))
	w.B = binary.NativeEndian.AppendUint16(w.B, typ)
}

// pad fills the message, wherever in the slice it begins, to a multiple of 4.
func (w *Builder) pad() {
	for (len(w.B)-w.start)%4 != 0 {
		w.B = append(w.B, 0)
	}
}

// U8 appends an attribute of one byte.
func (w *Builder) U8(typ uint16, v uint8) {
	w.attr(typ, 1)
	w.B = append(w.B, v)
	w.pad()
}

// U16 appends a big-endian number.
func (w *Builder) U16(typ uint16, v uint16) {
	w.attr(typ, 2)
	w.B = binary.BigEndian.AppendUint16(w.B, v)
	w.pad()
}

// U32 appends a big-endian number.
func (w *Builder) U32(typ uint16, v uint32) {
	w.attr(typ, 4)
	w.B = binary.BigEndian.AppendUint32(w.B, v)
}

// HostU32 appends a number in host order.
func (w *Builder) HostU32(typ uint16, v uint32) {
	w.attr(typ, 4)
	w.B = binary.NativeEndian.AppendUint32(w.B, v)
}

// U64 appends a big-endian number.
func (w *Builder) U64(typ uint16, v uint64) {
	w.attr(typ, 8)
	w.B = binary.BigEndian.AppendUint64(w.B, v)
}

// MaxPayload bounds what is sent of a string or a bitmap. It is far beyond what
// the kernel takes (16 bytes each), so that cutting changes no answer, and
// keeps every length within its 16 bits.
const MaxPayload = 1024

// Bytes appends v, or the first kilobyte of it.
func (w *Builder) Bytes(typ uint16, v []byte) {
	v = v[:min(len(v), MaxPayload)]
	w.attr(typ, len(v))
	w.B = append(w.B, v...)
	w.pad()
}

// Str appends a string with its NUL.
func (w *Builder) Str(typ uint16, v string) {
	v = v[:min(len(v), MaxPayload)]
	w.attr(typ, len(v)+1)
	w.B = append(append(w.B, v...), 0)
	w.pad()
}

// Nest opens a nested attribute and returns the mark that Close wants.
func (w *Builder) Nest(typ uint16) int {
	mark := len(w.B)
	w.attr(typ|AttrNested, 0)
	return mark
}

// Close closes the nest that was opened at mark.
func (w *Builder) Close(mark int) {
	binary.NativeEndian.PutUint16(w.B[mark:], uint16(len(w.B)-mark))
}
