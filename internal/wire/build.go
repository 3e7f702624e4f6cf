package wire

import "encoding/binary"

// Builder appends netlink messages to B. The zero value is ready to use.
type Builder struct {
	B     []byte
	start int // of the current message in B
}

// Begin starts an nfnetlink message. End completes it.
func (w *Builder) Begin(typ, flags uint16, seq, portID uint32, family, version uint8, resID uint16) {
	w.BeginPlain(typ, flags, seq, portID)
	b := append(w.B, family, version)
	w.B = binary.BigEndian.AppendUint16(b, resID)
}

// BeginPlain starts a message with netlink's header alone. End completes it.
func (w *Builder) BeginPlain(typ, flags uint16, seq, portID uint32) {
	w.start = len(w.B)
	b := binary.NativeEndian.AppendUint32(w.B, 0)
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	w.B = binary.NativeEndian.AppendUint32(b, portID)
}

// End sets the length of the message.
func (w *Builder) End() {
	binary.NativeEndian.PutUint32(w.B[w.start:], uint32(len(w.B)-w.start))
}

// attr appends an attribute header for a payload of n bytes.
func (w *Builder) attr(typ uint16, n int) {
	w.B = binary.NativeEndian.AppendUint16(w.B, uint16(AttrHeaderLen+n))
	w.B = binary.NativeEndian.AppendUint16(w.B, typ)
}

// pad pads the message, wherever it starts in B, to a multiple of 4 bytes.
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

// U16 appends an attribute: a big-endian number.
func (w *Builder) U16(typ uint16, v uint16) {
	w.attr(typ, 2)
	w.B = binary.BigEndian.AppendUint16(w.B, v)
	w.pad()
}

// U32 appends an attribute: a big-endian number.
func (w *Builder) U32(typ uint16, v uint32) {
	w.attr(typ, 4)
	w.B = binary.BigEndian.AppendUint32(w.B, v)
}

// HostU32 appends an attribute: a number in host byte order.
func (w *Builder) HostU32(typ uint16, v uint32) {
	w.attr(typ, 4)
	w.B = binary.NativeEndian.AppendUint32(w.B, v)
}

// U64 appends an attribute: a big-endian number.
func (w *Builder) U64(typ uint16, v uint64) {
	w.attr(typ, 8)
	w.B = binary.BigEndian.AppendUint64(w.B, v)
}

// MaxPayload is the most that Bytes and Str append of a payload, in bytes. The
// kernel refuses strings and bitmaps that are much shorter, so that cutting
// changes no answer, and lengths fit their 16 bits.
const MaxPayload = 1024

// Bytes appends an attribute with the first MaxPayload bytes of v.
func (w *Builder) Bytes(typ uint16, v []byte) {
	v = v[:min(len(v), MaxPayload)]
	w.attr(typ, len(v))
	w.B = append(w.B, v...)
	w.pad()
}

// Str appends an attribute: the first MaxPayload bytes of v and a NUL.
func (w *Builder) Str(typ uint16, v string) {
	v = v[:min(len(v), MaxPayload)]
	w.attr(typ, len(v)+1)
	w.B = append(append(w.B, v...), 0)
	w.pad()
}

// Nest begins a nested attribute and returns the argument for Close, which ends
// it.
func (w *Builder) Nest(typ uint16) int {
	mark := len(w.B)
	w.attr(typ|AttrNested, 0)
	return mark
}

// Close ends the nested attribute that Nest began.
func (w *Builder) Close(mark int) {
	binary.NativeEndian.PutUint16(w.B[mark:], uint16(len(w.B)-mark))
}
