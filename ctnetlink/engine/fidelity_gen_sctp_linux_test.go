package engine_test

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas, &area{name: "sctp", setting: sctpSetting, scenario: sctpScenario})
}

func sctpSetting(g *gen) *setting {
	return plain(g, [2]string{"sctp_timeout_closed", "11"}, [2]string{"sctp_timeout_cookie_wait", "21"},
		[2]string{"sctp_timeout_cookie_echoed", "31"}, [2]string{"sctp_timeout_established", "211"},
		[2]string{"sctp_timeout_shutdown_sent", "41"}, [2]string{"sctp_timeout_shutdown_recd", "51"},
		[2]string{"sctp_timeout_shutdown_ack_sent", "61"}, [2]string{"sctp_timeout_heartbeat_sent", "33"},
		[2]string{"checksum", "0"})
}

// sctpTalk is an association.
type sctpTalk struct {
	g   *gen
	end [2]netip.AddrPort
	tag [2]uint32 // that each end chose
}

// packet returns a packet with the right tag.
func (c *sctpTalk) packet(from int, chunks ...packets.Chunk) packets.SCTP {
	p := packets.SCTP{Src: c.end[from], Dst: c.end[1-from], Tag: c.tag[1-from], Chunks: chunks}
	if len(chunks) > 0 && chunks[0].Type == packets.ChunkInit {
		p.Tag = 0
	}
	return p
}

func (c *sctpTalk) chunk(typ uint8, from int) packets.Chunk {
	switch typ {
	case packets.ChunkInit, packets.ChunkInitAck:
		return packets.InitChunk(typ, c.tag[from])
	case packets.ChunkData:
		return packets.Chunk{Type: typ, Flags: 3, Value: make([]byte, 13+c.g.IntN(5))}
	}
	return packets.Chunk{Type: typ, Value: c.g.bytes(9)}
}

func (c *sctpTalk) put(from int, p packets.SCTP) {
	if from == 0 {
		c.g.a(p)
	} else {
		c.g.b(p)
	}
}

// sctpStep is a chunk that an end sends.
type sctpStep struct {
	from int
	typ  uint8
}

// sctpScenario is associations that get some way, with other packets in between.
func sctpScenario(g *gen) {
	v6 := g.chance(30)
	for range g.some(1, 2) {
		c := &sctpTalk{g: g, end: [2]netip.AddrPort{g.client(v6), g.server(v6)}, tag: [2]uint32{g.Uint32(), g.Uint32()}}
		closer := g.IntN(2)
		way := []sctpStep{
			{0, packets.ChunkInit}, {1, packets.ChunkInitAck}, {0, packets.ChunkCookieEcho}, {1, packets.ChunkCookieAck},
			{0, packets.ChunkData}, {1, packets.ChunkSack}, {closer, packets.ChunkShutdown},
			{1 - closer, packets.ChunkShutdownAck}, {closer, packets.ChunkShutdownComplete},
		}
		if g.chance(15) {
			way = []sctpStep{{0, packets.ChunkHeartbeat}, {1, packets.ChunkHeartbeatAck}, {0, packets.ChunkData}}
		}
		for _, s := range way[:g.some(0, len(way))] {
			if !g.chance(6) {
				c.put(s.from, c.packet(s.from, c.chunk(s.typ, s.from)))
			}
			if g.chance(15) {
				c.odd()
			}
		}
		for range g.some(1, 6) {
			c.odd()
		}
	}
}

// odd sends any packet.
func (c *sctpTalk) odd() {
	g := c.g
	if g.chance(8) {
		g.later(time.Duration(oneOf(g, 2, 5, 15, 40)) * time.Second)
	}
	from := g.IntN(2)
	types := []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 193, uint8(g.Uint32())}
	if g.chance(10) {
		c.tag[from] = g.Uint32()
	}
	var chunks []packets.Chunk
	for range oneOf(g, 1, 1, 1, 1, 2, 3, 0) {
		chunks = append(chunks, c.chunk(oneOf(g, types...), from))
	}
	p := c.packet(from, chunks...)
	switch g.IntN(24) {
	case 0:
		p.Tag = g.Uint32()
	case 1:
		p.Tag = 0
	case 2:
		p.Tag = c.tag[from] // as with the T bit
		for i := range p.Chunks {
			p.Chunks[i].Flags |= 1
		}
	case 3:
		p.BadCRC = true
	case 4:
		p.Cut = g.some(1, 24)
	case 5:
		if len(p.Chunks) > 0 {
			p.Chunks[0].Length = oneOf(g, packets.Zero, 1, 3, 4, 5, 19, 20, 100)
		}
	case 6:
		if len(p.Chunks) > 0 && len(p.Chunks[0].Value) >= 4 {
			binary.BigEndian.PutUint32(p.Chunks[0].Value, 0)
		}
	case 7:
		if len(p.Chunks) > 0 {
			p.Chunks[0].Flags = 1
		}
	}
	c.put(from, p)
}
