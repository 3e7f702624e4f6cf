package e2e

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// makecapMain writes a capture: makecap [ethernet|raw|cooked]. On stdin is a line for each packet, as documented in
// README.md.
func makecapMain() {
	link := "raw"
	if len(os.Args) > 1 {
		link = os.Args[1]
	}
	types := map[string]uint32{"ethernet": 1, "raw": 101, "cooked": 113}
	if types[link] == 0 {
		check(fmt.Errorf("makecap: unknown link type %s", link))
	}
	w := bufio.NewWriter(os.Stdout)
	header := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d) // nanoseconds
	header = binary.LittleEndian.AppendUint16(header, 2)
	header = binary.LittleEndian.AppendUint16(header, 4)
	header = append(header, make([]byte, 8)...)
	header = binary.LittleEndian.AppendUint32(header, 262144)
	header = binary.LittleEndian.AppendUint32(header, types[link])
	write(w, header)
	lines := bufio.NewScanner(os.Stdin)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var p madePacket
		if err := p.parse(line); err != nil {
			check(fmt.Errorf("makecap: line %d: %w", n, err))
		}
		frame := p.frame(link)
		captured := frame
		if p.snap > 0 {
			captured = frame[:min(p.snap, len(frame))]
		}
		record := binary.LittleEndian.AppendUint32(nil, uint32(p.nanoseconds/1e9))
		record = binary.LittleEndian.AppendUint32(record, uint32(p.nanoseconds%1e9))
		record = binary.LittleEndian.AppendUint32(record, uint32(len(captured)))
		record = binary.LittleEndian.AppendUint32(record, uint32(len(frame)))
		write(w, append(record, captured...))
	}
	check(lines.Err())
	check(w.Flush())
}

func write(w io.Writer, b []byte) {
	_, err := w.Write(b)
	check(err)
}

// firstPacket is the time 0 of captures: 2026-01-02 14:03:00 UTC.
const firstPacket = 1767362580 * int64(1e9)

// madePacket is a packet of a line.
type madePacket struct {
	nanoseconds      int64
	proto            string
	src, dst         netip.AddrPort
	flags            string
	seq, ack         uint32
	win, id          uint16
	typ, code        uint8
	ttl              uint8
	payload, options []byte
	badsum, partial  bool
	sent             bool // cooked: by this machine
	snap             int
	fragment         uint16 // flags and offset of the IPv4 header
	raw              []byte
	tag              uint32 // SCTP
}

func (p *madePacket) parse(line string) error {
	words := strings.Fields(line)
	seconds, err := strconv.ParseFloat(words[0], 64)
	if err != nil || len(words) < 2 {
		return fmt.Errorf("%q: TIME PROTOCOL … is required", line)
	}
	p.nanoseconds = firstPacket + int64(seconds*1e9+0.5)
	p.ttl, p.win = 64, 64240
	p.proto = words[1]
	words = words[2:]
	if p.proto == "arp" {
		return nil
	}
	if len(words) < 3 || words[1] != ">" {
		return fmt.Errorf("%q: SOURCE > DESTINATION is required", line)
	}
	if p.src, err = parseEnd(words[0]); err == nil {
		p.dst, err = parseEnd(words[2])
	}
	if err != nil {
		return err
	}
	words = words[3:]
	if len(words) > 0 && p.proto == "tcp" {
		p.flags, words = words[0], words[1:]
	}
	if len(words) > 0 && strings.HasPrefix(p.proto, "icmp") {
		if _, err := fmt.Sscanf(words[0], "%d/%d", &p.typ, &p.code); err != nil {
			return fmt.Errorf("%s: %w", words[0], err)
		}
		words = words[1:]
	}
	for len(words) > 0 {
		used, err := p.option(words)
		if err != nil {
			return fmt.Errorf("%s: %w", words[0], err)
		}
		words = words[used:]
	}
	return nil
}

// parseEnd reads ADDRESS or ADDRESS:PORT.
func parseEnd(s string) (netip.AddrPort, error) {
	if end, err := netip.ParseAddrPort(s); err == nil {
		return end, nil
	}
	a, err := netip.ParseAddr(s)
	return netip.AddrPortFrom(a, 0), err
}

// option reads an option and its value, and returns how many words they are.
func (p *madePacket) option(words []string) (used int, err error) {
	switch words[0] {
	case "badsum":
		p.badsum = true
		return 1, nil
	case "partial":
		p.partial = true
		return 1, nil
	case "sent":
		p.sent = true
		return 1, nil
	case "data":
		text, err := strconv.Unquote(strings.Join(words[1:], " "))
		p.payload = []byte(text)
		return len(words), err
	}
	if len(words) < 2 {
		return 0, fmt.Errorf("a value is required")
	}
	if words[0] == "raw" {
		p.raw, err = hex.DecodeString(words[1])
		return 2, err
	}
	if words[0] == "hex" {
		p.payload, err = hex.DecodeString(words[1])
		return 2, err
	}
	if words[0] == "opt" {
		p.options, err = hex.DecodeString(words[1])
		return 2, err
	}
	n, err := strconv.ParseUint(words[1], 0, 32)
	switch words[0] {
	case "seq":
		p.seq = uint32(n)
	case "ack":
		p.ack = uint32(n)
	case "win":
		p.win = uint16(n)
	case "len":
		p.payload = make([]byte, n)
	case "ttl":
		p.ttl = uint8(n)
	case "id":
		p.id = uint16(n)
	case "tag":
		p.tag = uint32(n)
	case "snap":
		p.snap = int(n)
	case "frag":
		p.fragment = uint16(n)
	default:
		return 0, fmt.Errorf("unknown option")
	}
	return 2, err
}

// frame returns the packet behind the header of a link type.
func (p *madePacket) frame(link string) []byte {
	etherType := []byte{8, 0}
	var packet []byte
	switch {
	case p.proto == "arp":
		etherType, packet = []byte{8, 6}, make([]byte, 28)
	case p.src.Addr().Is6():
		etherType, packet = []byte{0x86, 0xdd}, p.ip()
	default:
		packet = p.ip()
	}
	var header []byte
	switch link {
	case "ethernet":
		header = append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, etherType...)
	case "cooked":
		header = make([]byte, 14, 16)
		if p.sent {
			header[1] = 4
		}
		header = append(header, etherType...)
	}
	return append(header, packet...)
}

var madeProtocols = map[string]byte{"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "sctp": 132}

// ip returns the IP packet.
func (p *madePacket) ip() []byte {
	proto, known := madeProtocols[p.proto]
	if !known {
		n, err := strconv.ParseUint(p.proto, 10, 8)
		check(err)
		proto = byte(n)
	}
	body, sumAt := p.transport()
	src, dst := p.src.Addr(), p.dst.Addr()
	pseudo := append(append(src.AsSlice(), dst.AsSlice()...), 0, proto)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(body)))
	if p.proto == "icmp" {
		pseudo = nil
	}
	if sumAt >= 0 && p.fragment == 0 {
		sum := ^checksum(append(pseudo, body...))
		if p.partial {
			sum = checksum(pseudo)
		}
		if p.badsum {
			sum ^= 0x5555
		}
		binary.BigEndian.PutUint16(body[sumAt:], sum)
	}
	var header []byte
	if src.Is6() {
		header = []byte{0x60, 0, 0, 0}
		header = binary.BigEndian.AppendUint16(header, uint16(len(body)))
		header = append(header, proto, p.ttl)
		return append(append(append(header, src.AsSlice()...), dst.AsSlice()...), body...)
	}
	header = []byte{0x45, 0}
	header = binary.BigEndian.AppendUint16(header, uint16(20+len(body)))
	header = binary.BigEndian.AppendUint16(header, p.id)
	header = binary.BigEndian.AppendUint16(header, p.fragment)
	header = append(header, p.ttl, proto, 0, 0)
	header = append(append(header, src.AsSlice()...), dst.AsSlice()...)
	binary.BigEndian.PutUint16(header[10:], ^checksum(header))
	return append(header, body...)
}

// transport returns what follows the IP header, and where in it the checksum is.
func (p *madePacket) transport() (b []byte, sumAt int) {
	if p.raw != nil {
		return p.raw, -1
	}
	switch p.proto {
	case "tcp":
		for len(p.options)%4 != 0 {
			p.options = append(p.options, 0)
		}
		b = binary.BigEndian.AppendUint16(nil, p.src.Port())
		b = binary.BigEndian.AppendUint16(b, p.dst.Port())
		b = binary.BigEndian.AppendUint32(b, p.seq)
		b = binary.BigEndian.AppendUint32(b, p.ack)
		var flags byte
		for i, letter := range "FSRPAU" {
			if strings.ContainsRune(p.flags, letter) {
				flags |= 1 << i
			}
		}
		b = append(b, byte(5+len(p.options)/4)<<4, flags)
		b = binary.BigEndian.AppendUint16(b, p.win)
		b = append(b, 0, 0, 0, 0)
		return append(append(b, p.options...), p.payload...), 16
	case "udp":
		b = binary.BigEndian.AppendUint16(nil, p.src.Port())
		b = binary.BigEndian.AppendUint16(b, p.dst.Port())
		b = binary.BigEndian.AppendUint16(b, uint16(8+len(p.payload)))
		return append(append(b, 0, 0), p.payload...), 6
	case "sctp":
		b = binary.BigEndian.AppendUint16(nil, p.src.Port())
		b = binary.BigEndian.AppendUint16(b, p.dst.Port())
		b = binary.BigEndian.AppendUint32(b, p.tag)
		b = append(append(b, 0, 0, 0, 0), p.payload...)
		sum := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
		if p.badsum {
			sum++
		}
		binary.LittleEndian.PutUint32(b[8:], sum)
		return b, -1
	case "icmp", "icmpv6":
		b = append(b, p.typ, p.code, 0, 0)
		b = binary.BigEndian.AppendUint16(b, p.id)
		return append(append(b, 0, 1), p.payload...), 2
	}
	return p.payload, -1
}

// checksum returns the ones' complement sum of RFC 1071.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 != 0 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
