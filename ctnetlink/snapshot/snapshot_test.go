package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

var readTime = time.Unix(1_700_000_000, 123_456_789)

// snapshot makes one of messages.
func snapshot(messages ...[]byte) []byte {
	var w Writer
	b := w.AppendHeader(nil, Header{Time: readTime, Serial: 7})
	for _, m := range messages {
		b = w.Append(b, m)
	}
	return w.AppendEnd(b)
}

// readAll reads all of one.
func readAll(r io.Reader) (h Header, messages [][]byte, err error) {
	s, err := NewReader(r)
	if err != nil {
		return h, nil, err
	}
	for {
		msg, err := s.Next()
		if errors.Is(err, io.EOF) {
			return s.Header(), messages, nil
		}
		if err != nil {
			return s.Header(), messages, err
		}
		messages = append(messages, slices.Clone(msg))
	}
}

// entry returns the message of a TCP connection from address number i.
func entry(i int, change func(*ctnetlink.FlowSpec)) []byte {
	const fields = ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts
	client, server := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), netip.AddrFrom4([4]byte{192, 0, 2, 1})
	en := ctnetlink.FlowSpec{
		Family: ctnetlink.FamilyIPv4,
		Orig:   ctnetlink.Tuple{Has: fields, Proto: ctnetlink.ProtoTCP, Src: client, Dst: server, SrcPort: 40000, DstPort: 443},
		Reply:  ctnetlink.Tuple{Has: fields, Proto: ctnetlink.ProtoTCP, Src: server, Dst: client, SrcPort: 443, DstPort: 40000},
		Set:    ctnetlink.AttrSet(0).With(ctnetlink.AttrStatus).With(ctnetlink.AttrTimeout).With(ctnetlink.AttrMark),
		Status: ctnetlink.StatusConfirmed | ctnetlink.StatusSeenReply, Timeout: time.Hour, Mark: uint32(i),
	}
	if change != nil {
		change(&en)
	}
	return en.AppendMessage(nil)
}

// richEntry has every kind of attribute that a foreign reader must convert.
func richEntry() []byte {
	return entry(3, func(en *ctnetlink.FlowSpec) {
		en.Labels = []byte{1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128}
		en.Helper, en.Zone, en.Master = "ftp", 9, en.Reply
		en.SrcNAT = ctnetlink.NAT{MinAddr: en.Orig.Src, MinPort: 4, MaxPort: 5}
		en.ProtoInfo = ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoTCP, Has: ctnetlink.InfoState, State: 3}
		en.Set = en.Set.With(ctnetlink.AttrLabels).With(ctnetlink.AttrHelp).With(ctnetlink.AttrZone).
			With(ctnetlink.AttrTupleMaster).With(ctnetlink.AttrNATSrc).With(ctnetlink.AttrProtoInfo)
	})
}

// captured returns the entries and expectations that a kernel sent, none on a
// big-endian machine.
func captured(t testing.TB, name string) (all [][]byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", name+".nl"))
	if err != nil {
		t.Fatal(err)
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil
	}
	m := wire.Messages{B: b}
	for m.Next() {
		if typ := m.Msg.Type(); typ == wire.SubsysConntrack<<8|wire.MsgNew || typ == wire.SubsysExpect<<8|wire.MsgNew {
			all = append(all, slices.Clone(m.Msg))
		}
	}
	if len(all) == 0 {
		t.Fatalf("nothing in %s", name)
	}
	return all
}

// foreign rewrites a snapshot as a machine of the other byte order writes it.
// It knows the format from the documentation, not from the reader.
func foreign(t testing.TB, b []byte) []byte {
	t.Helper()
	b = slices.Clone(b)
	for _, w := range [][]byte{b[8:10], b[10:12], b[12:16], b[16:24], b[24:32]} {
		slices.Reverse(w)
	}
	var attributes func(b []byte, top bool)
	attributes = func(b []byte, top bool) {
		for len(b) > 0 {
			n, typ := binary.NativeEndian.Uint16(b), binary.NativeEndian.Uint16(b[2:])
			slices.Reverse(b[:2])
			slices.Reverse(b[2:4])
			if typ&0x8000 != 0 {
				attributes(b[4:n], false)
			} else if top && typ == 22 {
				for w := b[4:n]; len(w) > 0; w = w[4:] {
					slices.Reverse(w[:4])
				}
			}
			b = b[min((int(n)+3)/4*4, len(b)):]
		}
	}
	var w Writer
	w.checksum(b[:32])
	for at := 32; at < len(b); {
		m := b[at:]
		n, typ := int(binary.NativeEndian.Uint32(m)), binary.NativeEndian.Uint16(m[4:])
		for _, w := range [][]byte{m[0:4], m[4:6], m[6:8], m[8:12], m[12:16]} {
			slices.Reverse(w)
		}
		if typ == 3 {
			slices.Reverse(m[16:24])
			w.checksum(m[:24])
			otherEndian.PutUint32(m[24:], w.crc)
			return b
		}
		attributes(m[20:n], true)
		n = (n + 3) / 4 * 4
		w.checksum(m[:n])
		at += n
	}
	t.Fatal("no end mark")
	return nil
}

func TestRoundTrip(t *testing.T) {
	in := append([][]byte{richEntry(), entry(1, nil)}, captured(t, "expect")...)
	b := snapshot(in...)
	for name, file := range map[string][]byte{"own": b, "foreign": foreign(t, b)} {
		for how, r := range map[string]io.Reader{
			"whole": bytes.NewReader(file), "by bytes": iotest.OneByteReader(bytes.NewReader(file)),
			"end with data": iotest.DataErrReader(bytes.NewReader(file)),
		} {
			h, out, err := readAll(r)
			if err != nil {
				t.Errorf("%s, %s: %v", name, how, err)
				continue
			}
			if !h.Time.Equal(readTime) || h.Serial != 7 || h.Foreign != (name == "foreign") {
				t.Errorf("%s, %s: header %+v", name, how, h)
			}
			if len(out) != len(in) {
				t.Errorf("%s, %s: %d messages, want %d", name, how, len(out), len(in))
				continue
			}
			for i, msg := range out {
				want := slices.Clone(in[i])
				binary.NativeEndian.PutUint16(want[6:], wire.FlagMulti)
				clear(want[8:16])
				if !bytes.Equal(msg, want) {
					t.Errorf("%s, %s: message %d:\n%x, want\n%x", name, how, i, msg, want)
				}
			}
		}
	}
}

// TestLayout holds the writer to the documented bytes.
func TestLayout(t *testing.T) {
	b := snapshot(entry(1, nil))
	n := binary.NativeEndian
	end := len(b) - 28
	switch {
	case string(b[:8]) != "\x89CTN\r\n\x1a\n", n.Uint16(b[8:]) != 0xfeff, n.Uint16(b[10:]) != 1, n.Uint32(b[12:]) != 32,
		int64(n.Uint64(b[16:])) != readTime.UnixNano(), n.Uint64(b[24:]) != 7:
		t.Errorf("header % x", b[:32])
	case n.Uint16(b[36:]) != 0x100, n.Uint16(b[38:]) != 2, n.Uint64(b[40:]) != 0:
		t.Errorf("message % x", b[32:])
	case n.Uint32(b[end:]) != 28, n.Uint16(b[end+4:]) != 3, n.Uint64(b[end+16:]) != 1:
		t.Errorf("end mark % x", b[end:])
	}
	// CRC-32C of "123456789" is e3069283 (RFC 3720 names the polynomial).
	var w Writer
	if w.checksum([]byte("123456789")); w.crc != 0xe3069283 {
		t.Errorf("checksum %08x", w.crc)
	}
}

// TestCutOff: no beginning of a snapshot passes for a whole one, and the
// error says where it ends.
func TestCutOff(t *testing.T) {
	whole := snapshot(richEntry(), entry(1, nil))
	for _, file := range [][]byte{whole, foreign(t, whole)} {
		for n := range file {
			_, _, err := readAll(bytes.NewReader(file[:n]))
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Offset != int64(n) && n > 8 {
				t.Fatalf("cut at %d: %v", n, err)
			}
		}
	}
}

// TestDamage: no changed byte goes unnoticed.
func TestDamage(t *testing.T) {
	whole := snapshot(richEntry(), entry(1, nil))
	for i := range whole {
		b := slices.Clone(whole)
		b[i] ^= 0x21
		_, _, err := readAll(bytes.NewReader(b))
		var wrong *Error
		if !errors.As(err, &wrong) || wrong.Offset > int64(len(whole)) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

func TestErrors(t *testing.T) {
	good := snapshot(entry(1, nil))
	set := func(at int, with ...byte) []byte {
		b := slices.Clone(good)
		copy(b[at:], with)
		return b
	}
	u16 := func(v uint16) []byte { return binary.NativeEndian.AppendUint16(nil, v) }
	u32 := func(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
	end := len(good) - 28
	for _, tc := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "byte 0: the file is empty"},
		{"text", []byte("tcp      6 431999 ESTABLISHED src=10.0.0.1"), `byte 0: not a table file but a text: it begins with "tcp     "`},
		{"short text", []byte("tcp"), "byte 0: not a table file but a text"},
		{"other bytes", []byte("\x1f\x8b\x08\x00abcdefgh"), "byte 0: not a table file: it begins with 1f 8b 08"},
		{"header", good[:20], "byte 20: the file ends within the header"},
		{"order", set(8, 1, 2), "byte 8: 01 02 is not a byte order mark"},
		{"version", set(10, u16(2)...), "byte 10: unknown version 2, expected 1"},
		{"header length", set(12, u32(40)...), "byte 12: header of 40 bytes, expected 32"},
		{"type", set(36, u16(0x102)...), "byte 36: unexpected message type 0x102"},
		{"length", set(32, u32(16)...), "byte 32: a message of 16 bytes"},
		{"huge", set(32, u32(1<<31)...), "byte 32: a message of 2147483648 bytes"},
		{"attribute", set(52, u16(3)...), "byte 52: attribute length"},
		{"nested too long", set(52, u16(60000)...), "byte 52: attribute length"},
		{"end length", set(end, u32(20)...), fmt.Sprintf("byte %d: end mark of 20 bytes", end)},
		{"count", set(end+16, u16(9)...), fmt.Sprintf("byte %d: the end mark counts", end+16)},
		{"checksum", set(end+24, 1, 2, 3, 4), fmt.Sprintf("byte %d: checksum mismatch", end+24)},
		{"more", append(slices.Clone(good), 0), fmt.Sprintf("byte %d: data after the end mark", len(good))},
	} {
		if _, _, err := readAll(bytes.NewReader(tc.b)); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
	broken := errors.New("broken")
	if _, _, err := readAll(io.MultiReader(bytes.NewReader(good[:60]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a reader's own error: %v", err)
	}
}

// FuzzReader: whatever the bytes, the reader ends, without a panic, and what
// it calls whole is what a writer makes of it.
func FuzzReader(f *testing.F) {
	whole := snapshot(richEntry(), entry(1, nil))
	f.Add(whole)
	f.Add(foreign(f, whole))
	f.Add(snapshot())
	f.Add(snapshot(captured(f, "expect")...))
	f.Add(whole[:100])
	for _, m := range captured(f, "dump") {
		f.Add(snapshot(m))
		// Lengths of attributes that do not fit, at the front and inside.
		for _, at := range []int{20, 24, 28} {
			for _, n := range []uint16{0, 3, 5, 0xffff} {
				bad := slices.Clone(m)
				binary.NativeEndian.PutUint16(bad[at:], n)
				f.Add(snapshot(bad))
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, messages, err := readAll(bytes.NewReader(b))
		for _, m := range messages {
			// What a reader passes on must be safe to decode.
			var flow ctnetlink.Flow
			if flow.Decode(m) == nil {
				flow.ProtoInfo()
				flow.Helper()
				flow.Master()
				flow.Labels()
			}
		}
		if err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Offset > int64(len(b)) {
				t.Fatalf("%v, of %d bytes", err, len(b))
			}
			return
		}
		var w Writer
		again := w.AppendHeader(nil, h)
		for _, m := range messages {
			again = w.Append(again, m)
		}
		if again = w.AppendEnd(again); len(again) != len(b) {
			t.Fatalf("%d bytes, written again %d", len(b), len(again))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var w Writer
	file := w.AppendHeader(nil, Header{Time: readTime})
	const entries = 10_000
	for i := range entries {
		file = w.Append(file, entry(i, nil))
	}
	file = w.AppendEnd(file)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		s, err := NewReader(bytes.NewReader(file))
		for err == nil {
			_, err = s.Next()
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/entries, "ns/entry")
}

// TestStopped: whether the clock is stopped is the highest bit of the word of
// the serial.
func TestStopped(t *testing.T) {
	for _, h := range []Header{{Time: readTime, Serial: 7, Stopped: true}, {Time: readTime, Serial: 1<<63 | 7}} {
		var w Writer
		b := w.AppendHeader(nil, h)
		if got := binary.NativeEndian.Uint64(b[24:])>>63 == 1; got != h.Stopped {
			t.Errorf("the highest bit is %t, want %t", got, h.Stopped)
		}
		got, err := ReadHeader(bytes.NewReader(b))
		if err != nil || got.Stopped != h.Stopped || got.Serial != 7 || !got.Time.Equal(h.Time) {
			t.Errorf("%+v was read as %+v, %v", h, got, err)
		}
	}
}
