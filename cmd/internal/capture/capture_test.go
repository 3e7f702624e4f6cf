package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// An IPv4 packet of 28 bytes, and an IPv6 packet of 48.
var (
	packet4 = unhex("4500001c00010000401100000a000002c0000201 1388003500080000")
	packet6 = unhex("6000000000081140 20010db8000000000000000000000001 20010db8000000000000000000000002 1388003500080000")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func join(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, unhex(p)...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

// record is a record of a pcap file.
type record struct {
	seconds, fraction uint32
	data              []byte
	length            int // 0: as captured
}

// pcap returns a capture.
func pcap(order binary.AppendByteOrder, magic, link uint32, records ...record) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(order.AppendUint16(b, 2), 4)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(order.AppendUint32(b, 65535), link)
	for _, r := range records {
		b = order.AppendUint32(order.AppendUint32(b, r.seconds), r.fraction)
		b = order.AppendUint32(b, uint32(len(r.data)))
		b = order.AppendUint32(b, uint32(max(r.length, len(r.data))))
		b = append(b, r.data...)
	}
	return b
}

const (
	micros = 0xa1b2c3d4
	nanos  = 0xa1b23c4d
)

// readAll reads a capture: its records, whose data is copied, and the error.
func readAll(t *testing.T, b []byte) (list []Record, err error) {
	t.Helper()
	f, err := New("x.pcap", bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	for {
		var r Record
		if err := f.Next(&r); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return list, err
		}
		r.Data = bytes.Clone(r.Data)
		list = append(list, r)
	}
}

func TestLinks(t *testing.T) {
	const mac = "020000000001 020000000002 "
	sll := func(typ, etherType string) string { return typ + "0001 0006 020000000001 0000 " + etherType }
	for _, c := range []struct {
		name    string
		link    uint32
		frame   []byte
		version uint8
		dir     Direction
		what    string // of a frame without a packet
	}{
		{"ethernet", 1, join(mac+"0800", packet4), 4, Unknown, ""},
		{"ethernet with padding", 1, join(mac+"0800", packet4, make([]byte, 18)), 4, Unknown, ""},
		{"IPv6", 1, join(mac+"86dd", packet6), 6, Unknown, ""},
		{"VLAN", 1, join(mac+"8100 0007 0800", packet4), 4, Unknown, ""},
		{"two VLANs", 1, join(mac+"88a8 0007 8100 0008 86dd", packet6), 6, Unknown, ""},
		{"SNAP", 1, join(mac+"0024 aaaa03 000000 0800", packet4), 4, Unknown, ""},
		{"PPPoE", 1, join(mac+"8864 1100 0001 001e 0021", packet4), 4, Unknown, ""},
		{"ARP", 1, join(mac+"0806", make([]byte, 28)), 0, Unknown, "ARP"},
		{"LLC", 1, join(mac + "0003 424203"), 0, Unknown, "an LLC frame"},
		{"unknown", 1, join(mac + "9999"), 0, Unknown, "EtherType 0x9999"},
		{"short", 1, join("0200"), 0, Unknown, "a frame cut within its header"},
		{"short VLAN", 1, join(mac + "8100 00"), 0, Unknown, "a frame cut within its header"},
		{"raw", 101, packet6, 0, Unknown, ""},
		{"raw of BSD", 12, packet4, 0, Unknown, ""},
		{"raw, no IP", 101, []byte{0x10}, 0, Unknown, "IP version 1"},
		{"IPv4 only", 228, packet4, 4, Unknown, ""},
		{"null", 0, join("02000000", packet4), 4, Unknown, ""},
		{"null, big endian", 0, join("00000002", packet4), 4, Unknown, ""},
		{"null of macOS", 0, join("1e000000", packet6), 6, Unknown, ""},
		{"loop", 108, join("00000018", packet6), 6, Unknown, ""},
		{"null, another family", 0, join("07000000", packet4), 0, Unknown, "address family 7"},
		{"ppp", 9, join("ff03 0021", packet4), 4, Unknown, ""},
		{"ppp, compressed", 9, join("57", packet6), 6, Unknown, ""},
		{"ppp, LCP", 50, join("ff03 c021 01"), 0, Unknown, "PPP protocol 0xc021"},
		{"ppp with direction", 204, join("01 ff03 0021", packet4), 4, Outgoing, ""},
		{"Cisco HDLC", 104, join("0f00 0800", packet4), 4, Unknown, ""},
		{"cooked, received", 113, join(sll("0000", "0800"), packet4), 4, Incoming, ""},
		{"cooked, sent", 113, join(sll("0004", "86dd"), packet6), 6, Outgoing, ""},
		{"cooked with VLAN", 113, join(sll("0004", "8100 0007 0800"), packet4), 4, Outgoing, ""},
		{"cooked v2, sent", 276, join("0800 0000 00000003 0001 04 06 0200000000010000", packet4), 4, Outgoing, ""},
		{"cooked v2, ARP", 276, join("0806 0000 00000003 0001 00 06 0200000000010000", packet4), 0, Incoming, "ARP"},
		{"802.11", 105, join("0801", make([]byte, 22), "aaaa03 000000 0800", packet4), 4, Unknown, ""},
		{"802.11 QoS", 105, join("8802", make([]byte, 22), "0000 aaaa03 000000 86dd", packet6), 6, Unknown, ""},
		{"802.11 four addresses", 105, join("0803", make([]byte, 28), "aaaa03 000000 0800", packet4), 4, Unknown, ""},
		{"802.11 beacon", 105, join("8000", make([]byte, 30)), 0, Unknown, "802.11 management"},
		{"802.11 encrypted", 105, join("0841", make([]byte, 30)), 0, Unknown, "802.11, encrypted"},
		{"radiotap", 127, join("0000 0a00 00000000 0000", "0801", make([]byte, 22), "aaaa03 000000 0800", packet4), 4, Unknown, ""},
		{"pflog", 117, join("3d 02 00 00", make([]byte, 56), "02 000000", packet4), 4, Outgoing, ""},
		{"nflog", 239, join("02 00 0000 0800 0100 00000000 2000 0900", packet4), 4, Unknown, ""},
		{"nflog without", 239, join("02 00 0000 0800 0100 00000000"), 0, Unknown, "an NFLOG record without a packet"},
	} {
		list, err := readAll(t, pcap(binary.LittleEndian, micros, c.link, record{1, 2, c.frame, 0}))
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %d records, %v", c.name, len(list), err)
			continue
		}
		r := list[0]
		if r.Frame != c.what || r.Version != c.version && c.what == "" || r.Direction != c.dir {
			t.Errorf("%s: %q, version %d, direction %d", c.name, r.Frame, r.Version, r.Direction)
		}
		if c.what != "" {
			if r.Data != nil {
				t.Errorf("%s: a packet %x", c.name, r.Data)
			}
			continue
		}
		want := packet4
		if c.version == 6 || bytes.Contains(c.frame, packet6) {
			want = packet6
		}
		if !bytes.HasPrefix(r.Data, want) || r.Length != len(r.Data) {
			t.Errorf("%s: length %d of %x", c.name, r.Length, r.Data)
		}
	}
}

// Every frame of every link type, cut anywhere, is read without a panic.
func TestCutFrames(t *testing.T) {
	long := join(make([]byte, 20), packet4, packet6, make([]byte, 40))
	for _, read := range links {
		for n := range len(long) {
			for _, first := range []byte{0, 2, 8, 0x88, 0xff, 0x45} {
				b := bytes.Clone(long[:n])
				if n > 0 {
					b[0] = first
				}
				f := frame{data: b}
				if read(&f); (f.data == nil) != (f.what != "") {
					t.Errorf("%x: %x, %q", b, f.data, f.what)
				}
			}
		}
	}
}

func TestForms(t *testing.T) {
	at := time.Unix(1700000000, 123456000).UTC()
	le := pcap(binary.LittleEndian, micros, 101, record{1700000000, 123456, packet4, 0})
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(le)
	_ = z.Close()
	for name, b := range map[string][]byte{
		"little endian": le,
		"big endian":    pcap(binary.BigEndian, micros, 101, record{1700000000, 123456, packet4, 0}),
		"nanoseconds":   pcap(binary.LittleEndian, nanos, 101, record{1700000000, 123456000, packet4, 0}),
		"gzip":          zipped.Bytes(),
		"pcapng":        pcapng(1700000000123456, packet4, 2),
	} {
		list, err := readAll(t, b)
		if err != nil || len(list) == 0 || !list[0].Time.Equal(at) || !bytes.Equal(list[0].Data, packet4) {
			t.Errorf("%s: %v %v", name, list, err)
		}
	}
}

// pcapng returns a capture with two interfaces: a packet at eth1 with a direction
// flag, and one at lo.
func pcapng(micros uint64, data []byte, flags uint32) []byte {
	le := binary.LittleEndian
	block := func(typ uint32, body []byte) []byte {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		n := uint32(len(body) + 12)
		b := le.AppendUint32(le.AppendUint32(nil, typ), n)
		return le.AppendUint32(append(b, body...), n)
	}
	option := func(code uint16, v []byte) []byte {
		b := le.AppendUint16(le.AppendUint16(nil, code), uint16(len(v)))
		b = append(b, v...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return b
	}
	iface := func(link uint16, name string) []byte {
		b := le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, link), 0), 0)
		return block(1, append(append(b, option(2, []byte(name))...), 0, 0, 0, 0))
	}
	packet := func(iface uint32, data []byte, options []byte) []byte {
		b := le.AppendUint32(nil, iface)
		b = le.AppendUint32(le.AppendUint32(b, uint32(micros>>32)), uint32(micros))
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(data))), uint32(len(data)))
		b = append(b, data...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return block(6, append(b, options...))
	}
	section := le.AppendUint32(nil, 0x1a2b3c4d)
	section = append(le.AppendUint16(le.AppendUint16(section, 1), 0), bytes.Repeat([]byte{0xff}, 8)...)
	return slices.Concat(block(0x0a0d0d0a, section), iface(101, "eth1"), iface(1, "lo"),
		packet(0, data, append(option(2, le.AppendUint32(nil, flags)), 0, 0, 0, 0)),
		packet(1, join("020000000001 020000000002 0800", data), nil))
}

func TestPcapng(t *testing.T) {
	list, err := readAll(t, pcapng(5, packet4, 2))
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	if a, b := list[0], list[1]; a.Interface != "eth1" || a.Direction != Outgoing || b.Interface != "lo" || b.Version != 4 ||
		!bytes.Equal(b.Data, packet4) {
		t.Errorf("%+v\n%+v", a, b)
	}
	if list, _ := readAll(t, pcapng(5, packet4, 1)); list[0].Direction != Incoming {
		t.Errorf("%+v", list[0])
	}
}

// What was cut by the snap length has its length on the wire; padding is no cut.
func TestCut(t *testing.T) {
	list, err := readAll(t, pcap(binary.LittleEndian, micros, 1,
		record{1, 0, join("020000000001 020000000002 0800", packet4[:24]), 60},
		record{1, 0, join("020000000001 020000000002 0800", packet4), 60}))
	if err != nil {
		t.Fatal(err)
	}
	if r := list[0]; r.Length != 46 || len(r.Data) != 24 {
		t.Errorf("cut: %d of %d", len(r.Data), r.Length)
	}
	if r := list[1]; r.Length != len(r.Data) {
		t.Errorf("padded: %d of %d", len(r.Data), r.Length)
	}
}

// Damage is named with its record; what came before it was read.
func TestDamage(t *testing.T) {
	good := pcap(binary.LittleEndian, micros, 101, record{1, 0, packet4, 0}, record{2, 0, packet4, 0})
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(good)
	_ = z.Close()
	for _, c := range []struct {
		name  string
		b     []byte
		n     int
		error string
	}{
		{"in data", good[:len(good)-1], 1, "x.pcap: record 2: the file ends in the middle of it"},
		{"before data", good[:len(good)-len(packet4)], 1, "x.pcap: record 2: the file ends in the middle of it"},
		{"in a header", good[:24+16+len(packet4)+5], 1, "x.pcap: record 2: the file ends in the middle of it"},
		{"between records", good[:24+16+len(packet4)], 1, ""},
		{"no records", good[:24], 0, ""},
		{"in the file's header", good[:20], 0, "x.pcap: it is not a capture: pcap and pcapng are read"},
		{"in the header of pcapng", join(pcapngMagic, "1c000000"), 0,
			"x.pcap: the file ends in the middle of its header"},
		{"empty", nil, 0, "x.pcap: it is empty"},
		{"text", []byte("hello, world, this is no capture"), 0, "x.pcap: it is not a capture: pcap and pcapng are read"},
		{"zstd", join(zstdMagic, "00000000"), 0, "x.pcap: it is compressed: only gzip is read"},
		{"link type", pcap(binary.LittleEndian, micros, 147), 0, "x.pcap: link type 147 is not known"},
		{"gzip", zipped.Bytes()[:zipped.Len()-9], 2, "x.pcap: record 3: "},
	} {
		list, err := readAll(t, c.b)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if len(list) != c.n || !strings.HasPrefix(text, c.error) || (text == "") != (c.error == "") {
			t.Errorf("%s: %d records, %q; want %d, %q", c.name, len(list), text, c.n, c.error)
		}
	}
}

func TestMerge(t *testing.T) {
	open := func(name string, seconds ...uint32) *File {
		var list []record
		for _, s := range seconds {
			list = append(list, record{s, 0, packet4, 0})
		}
		f, err := New(name, bytes.NewReader(pcap(binary.LittleEndian, micros, 101, list...)))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	damaged, err := New("d", bytes.NewReader(pcap(binary.LittleEndian, micros, 101, record{3, 0, packet4, 0})[:50]))
	if err != nil {
		t.Fatal(err)
	}
	m := NewMerge([]*File{open("a", 1, 4, 5), open("b", 2, 4, 9), open("c"), damaged})
	var failed []string
	m.Failed = func(err error) { failed = append(failed, err.Error()) }
	var got []string
	for r := m.Next(); r != nil; r = m.Next() {
		got = append(got, r.File.Name+r.Time.UTC().Format("5"))
	}
	if want := "a1 b2 a4 b4 a5 b9"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(failed) != 1 || !strings.HasPrefix(failed[0], "d: record 1: ") {
		t.Errorf("failed: %q", failed)
	}
}

func FuzzCapture(f *testing.F) {
	f.Add(pcap(binary.LittleEndian, micros, 1, record{1, 0, packet4, 0}))
	f.Add(pcapng(5, packet6, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := readAll(t, b); err != nil && err.Error() == "" {
			t.Error("an error without a text")
		}
	})
}

// Reading allocates nothing per packet.
func TestAllocations(t *testing.T) {
	var list []record
	for i := range 2000 {
		list = append(list, record{uint32(i), 0, join("020000000001 020000000002 0800", packet4), 0})
	}
	f, err := New("x", bytes.NewReader(pcap(binary.LittleEndian, micros, 1, list...)))
	if err != nil {
		t.Fatal(err)
	}
	var r Record
	if n := testing.AllocsPerRun(1000, func() { _ = f.Next(&r) }); n > 0 {
		t.Errorf("%v allocations per packet", n)
	}
}
