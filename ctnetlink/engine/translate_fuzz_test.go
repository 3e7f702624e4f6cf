package engine_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// FuzzTranslate gives packets to a table that translates the source and the
// destination of all: one as a client sends it, and one as it comes back, perhaps
// cut. The sender's bytes stay as they are; a packet that leaves whole has a right
// IPv4 header.
func FuzzTranslate(f *testing.F) {
	for _, p := range [][]byte{udpOf(client1, server), udpNoSum(client1, server), tcpOf(packets.SYN, 1, 0)(client1, server),
		espOf(client1, server), greOf(client1, server), sctpOf(0, packets.InitChunk(packets.ChunkInit, 5))(client1, server),
		udpOf(packets.Port("[fd00:a::2]:1"), packets.Port("[fd00:b::2]:2")),
		packets.Echo(client1.Addr(), server.Addr(), 7, 1, false).Bytes()} {
		f.Add(p, packets.Error(server.Addr(), mapped.Addr(), 3, 3, p, 0).Bytes(), uint8(0))
		f.Add(p, p, uint8(9))
	}
	f.Fuzz(func(t *testing.T, there, back []byte, cut uint8) {
		sysctls := engine.DefaultSysctls()
		sysctls.Checksum = false
		n := newNATTable(t, engine.Options{Sysctls: sysctls}, toMapped(2000, 2001),
			natRule{hook: engine.Prerouting, in: "a", to: translation(engine.DNAT, "192.0.2.9", "", 80, 81)})
		for i, data := range [][]byte{there, back, there} {
			data = withHeaderSum(data)
			p := &engine.Packet{Data: data, Time: n.now.Add(time.Duration(i)), In: "a", Out: "b"}
			if i == 1 {
				p.In, p.Out = "b", "a"
			}
			if i > 0 {
				p.Length = len(data) + int(cut)
			}
			kept := bytes.Clone(data)
			v := n.Track(p)
			if !bytes.Equal(data, kept) {
				t.Fatalf("Track changed the sender's bytes")
			}
			for _, out := range v.Leaves {
				if len(out) >= 20 && out[0]>>4 == 4 && len(out) >= int(out[0]&15)*4 && packets.Checksum(out[:int(out[0]&15)*4]) != 0 {
					t.Fatalf("leaves with a wrong header: %x", out)
				}
			}
		}
	})
}

// withHeaderSum returns a copy of a packet with a right checksum of its IPv4
// header, if it has one.
func withHeaderSum(p []byte) []byte {
	p = bytes.Clone(p)
	if len(p) >= 20 && p[0]>>4 == 4 {
		p[10], p[11] = 0, 0
		sum := packets.Checksum(p[:min(max(int(p[0]&15)*4, 20), len(p))])
		p[10], p[11] = byte(sum>>8), byte(sum)
	}
	return p
}
