package wire

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
)

// datagram returns three messages, of 21, 16 and 40 bytes; the first is padded.
func datagram() []byte {
	var w Builder
	w.Begin(SubsysConntrack<<8|MsgNew, FlagMulti, 1, 7, 2, 0, 0)
	w.B = append(w.B, 0xff) // one byte of payload makes the length odd
	w.End()
	w.B = append(w.B, 0, 0, 0)
	w.BeginPlain(TypeNoop, 0, 2, 0)
	w.End()
	w.Begin(SubsysExpect<<8|MsgGet, FlagRequest|FlagDump, 3, 0, 10, 0, 0)
	w.U32(1, 5)
	w.U64(2, 6)
	w.End()
	return w.B
}

func TestMessages(t *testing.T) {
	b := datagram()
	var lengths []int
	m := Messages{B: b}
	for m.Next() {
		lengths = append(lengths, len(m.Msg))
	}
	if m.Malformed || len(lengths) != 3 || lengths[0] != 21 || lengths[1] != 16 || lengths[2] != 40 {
		t.Fatalf("lengths %v, malformed %v", lengths, m.Malformed)
	}
	// A prefix has the whole messages in it. It is malformed unless it ends
	// between two messages or in the padding after one.
	for n := range b {
		cut, whole := Messages{B: b[:n]}, 0
		for cut.Next() {
			whole++
		}
		wantWhole, fine := 0, n == 0
		switch {
		case n >= 40:
			wantWhole, fine = 2, n == 40
		case n >= 21:
			wantWhole, fine = 1, n <= 24
		}
		if whole != wantWhole || cut.Malformed == fine {
			t.Errorf("%d bytes: %d messages, malformed %v", n, whole, cut.Malformed)
		}
	}
	for _, length := range []uint32{0, 1, HeaderLen - 1, uint32(len(b)) + 1, 1 << 31, 1<<32 - 1} {
		binary.NativeEndian.PutUint32(b, length)
		if m := (Messages{B: b}); m.Next() || !m.Malformed {
			t.Errorf("a message of length %d is returned", length)
		}
	}
}

func TestMessage(t *testing.T) {
	m := Messages{B: datagram()}
	for range 3 {
		m.Next()
	}
	msg := m.Msg
	msg.SetSeq(9)
	msg.SetPortID(11)
	msg.AddFlags(FlagAck)
	if msg.Type() != SubsysExpect<<8|MsgGet || msg.Flags() != FlagRequest|FlagDump|FlagAck || !msg.IsDump() ||
		msg.Seq() != 9 || msg.PortID() != 11 || msg.Family() != 10 {
		t.Errorf("% x", msg)
	}
	msg.SetFlags(FlagRequest | FlagExcl) // one of the two bits of FlagDump
	if msg.IsDump() {
		t.Error("no dump")
	}
	if v, ok := Find32(msg.Payload(), 1); !ok || v != 5 {
		t.Errorf("attribute 1: %d, %v", v, ok)
	}
	if v, ok := Find64(msg.Payload(), 2); !ok || v != 6 {
		t.Errorf("attribute 2: %d, %v", v, ok)
	}
	if _, ok := Find64(msg.Payload(), 1); ok {
		t.Error("an attribute of 4 bytes is a number of 64 bits")
	}
	if _, ok := Find(msg.Payload(), 3); ok {
		t.Error("attribute 3 is found")
	}
}

func TestErrno(t *testing.T) {
	for _, tc := range []struct {
		typ     uint16
		payload []byte
		errno   uint32
		ok      bool
	}{
		{TypeError, number(0), 0, true},
		{TypeError, number(-17), 17, true},
		{TypeError, number(17), 0, false},
		{TypeError, number(-1 << 31), 0, false},
		{TypeError, []byte{1, 2, 3}, 0, false},
		{TypeDone, number(0), 0, true},
		{TypeDone, number(-12), 12, true},
		{TypeDone, number(20), 0, true}, // a length
		{TypeDone, nil, 0, true},
	} {
		var w Builder
		w.BeginPlain(tc.typ, 0, 1, 0)
		w.B = append(w.B, tc.payload...)
		w.End()
		if errno, ok := Message(w.B).Errno(); errno != tc.errno || ok != tc.ok {
			t.Errorf("type %d, % x: %d, %v", tc.typ, tc.payload, errno, ok)
		}
	}
}

func number(n int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }

func TestAttrs(t *testing.T) {
	var w Builder
	mark := w.Nest(1)
	w.U8(2, 42)
	w.Close(mark)
	w.Str(3, "ftp")
	w.U16(3, 7)
	b := w.B
	a := Attrs{B: b}
	n := 0
	for a.Next() {
		n++
	}
	if n != 3 || a.Malformed || len(a.B) != 0 {
		t.Fatalf("%d attributes, malformed %v, %d bytes left", n, a.Malformed, len(a.B))
	}
	if nest, ok := Find(b, 1); !ok || len(nest) != 8 {
		t.Errorf("the nest: % x, %v", nest, ok)
	}
	if last, ok := Find(b, 3); !ok || !bytes.Equal(last, []byte{0, 7}) {
		t.Errorf("the last of two: % x, %v", last, ok)
	}
	// The attributes are at 0, 12 and 20; the last one is 6 bytes and padding.
	for n := range len(b) + 1 {
		wantAt, want := 0, n == 0 || n == 12 || n == 20 || n >= 26
		if n > 20 {
			wantAt = 20
		} else if n > 12 {
			wantAt = 12
		}
		if at, ok := Check(b[:n]); ok != want || !ok && at != wantAt {
			t.Errorf("%d bytes: the attribute at %d, %v", n, at, ok)
		}
	}
	for _, length := range []uint16{0, AttrHeaderLen - 1, uint16(len(b)) + 1, 1<<16 - 1} {
		binary.NativeEndian.PutUint16(b, length)
		if a := (Attrs{B: b}); a.Next() || !a.Malformed {
			t.Errorf("an attribute of length %d is returned", length)
		}
	}
	for in, want := range map[string]string{"": "", "ftp": "ftp", "ftp\x00": "ftp", "a\x00b\x00": "a", "\x00": ""} {
		if got := CString([]byte(in)); string(got) != want {
			t.Errorf("CString(%q) is %q", in, got)
		}
	}
}

func TestSameAddr(t *testing.T) {
	for _, tc := range []struct {
		a, b, mask string
		want       bool
	}{
		{"10.0.0.1", "10.0.0.1", "", true},
		{"10.0.0.1", "10.0.0.2", "", false},
		{"10.0.0.1", "10.0.0.2", "255.255.255.252", true},
		{"10.0.0.1", "10.0.0.5", "255.255.255.252", false},
		{"10.0.0.1", "20.0.0.1", "0.255.255.255", true},
		{"10.0.0.1", "20.0.0.2", "0.0.0.0", true},
		{"2001:db8::1", "2001:db8::2", "ffff:ffff::", true},
		{"2001:db8::1", "2001:db9::1", "ffff:ffff::", false},
		{"2001:db8::1", "2002:db8::1", "::ffff", true},
		{"10.0.0.1", "::ffff:10.0.0.1", "", false},
		{"10.0.0.1", "::ffff:10.0.0.1", "::", false},
		{"10.0.0.1", "10.0.0.1", "::", false},
		{"10.0.0.1", "", "0.0.0.0", false},
		{"", "", "", true},
	} {
		addr := func(s string) (a netip.Addr) {
			if s != "" {
				a = netip.MustParseAddr(s)
			}
			return a
		}
		if got := SameAddr(addr(tc.a), addr(tc.b), addr(tc.mask)); got != tc.want {
			t.Errorf("%s and %s under %q: %v", tc.a, tc.b, tc.mask, got)
		}
	}
}
