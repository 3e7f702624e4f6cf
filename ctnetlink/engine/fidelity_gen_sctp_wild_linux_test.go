package engine_test

import (
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

func init() {
	areas = append(areas, &area{name: "sctp-wild", setting: sctpSetting, scenario: sctpWild})
}

// association is an SCTP association of which packets are made.
type association struct {
	g    *gen
	ends [2]netip.AddrPort
	tags [2]uint32 // that each side must send, as far as the packets were taken
}

// send sends chunks from one side.
func (a *association) send(from int, tag uint32, chunks ...packets.Chunk) {
	p := packets.SCTP{Src: a.ends[from], Dst: a.ends[1-from], Tag: tag, Chunks: chunks}
	if a.g.chance(2) {
		p.BadCRC = true
	}
	if a.g.chance(2) {
		p.Cut = a.g.some(1, 40)
	}
	a.g.in(netlab.Side(from), p.Bytes())
}

// open sends packets with the right tags up to some place in the life of an
// association.
func (a *association) open() {
	steps := []struct {
		from int
		typ  uint8
	}{
		{0, packets.ChunkInit}, {1, packets.ChunkInitAck}, {0, packets.ChunkCookieEcho}, {1, packets.ChunkCookieAck},
		{0, packets.ChunkShutdown}, {1, packets.ChunkShutdownAck}, {0, packets.ChunkShutdownComplete},
	}
	for _, s := range steps[:oneOf(a.g, 0, 1, 2, 3, 4, 4, 4, 5, 6, 7)] {
		tag := a.tags[s.from]
		if s.typ == packets.ChunkInit {
			tag = 0
		}
		a.send(s.from, tag, a.chunk(s.from, s.typ))
	}
}

// someTag is one of the few tags that the packets have.
func (a *association) someTag() uint32 {
	return oneOf(a.g, a.tags[0], a.tags[1], 0x11, 0x22, 0x33, 0)
}

// chunk returns a chunk of a type. The tag in an INIT and INIT ACK is what the
// other side sends from then on.
func (a *association) chunk(from int, typ uint8) packets.Chunk {
	c := packets.Chunk{Type: typ, Value: []byte{0, 0, 0, 1}}
	if typ == packets.ChunkInit || typ == packets.ChunkInitAck {
		a.tags[1-from] = a.someTag()
		c = packets.InitChunk(typ, a.tags[1-from])
	}
	if typ == packets.ChunkAbort || typ == packets.ChunkShutdownComplete {
		c.Flags = uint8(a.g.IntN(2))
	}
	return c
}

// sctpWild is a few associations with all kinds of chunks, bundles and tags.
func sctpWild(g *gen) {
	v6 := g.chance(30)
	var all []*association
	for range g.some(1, 2) {
		all = append(all, &association{g: g, ends: [2]netip.AddrPort{g.client(v6), g.server(v6)}, tags: [2]uint32{0x5555, 0x6666}})
	}
	for _, a := range all {
		a.open()
	}
	for range g.some(3, 20) {
		a := all[g.IntN(len(all))]
		from := g.IntN(2)
		var chunks []packets.Chunk
		for range oneOf(g, 1, 1, 1, 1, 2, 2, 3) {
			c := a.chunk(from, uint8(oneOf(g, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 7, 8, 9, 10, 10, 11, 11, 14)))
			if g.chance(3) {
				c = packets.Chunk{
					Type: uint8(g.IntN(256)), Value: g.bytes(9), Length: oneOf(g, 0, packets.Zero, 1, 3, 5, 8, 20, 300),
				}
			}
			chunks = append(chunks, c)
		}
		tag := a.tags[from]
		switch {
		case chunks[0].Type == packets.ChunkInit && g.chance(90):
			tag = 0
		case chunks[0].Flags == 1 && g.chance(70):
			tag = a.tags[1-from]
		case g.chance(25):
			tag = a.someTag()
		}
		a.send(from, tag, chunks...)
		if g.chance(2) {
			g.later(time.Duration(oneOf(g, 1, 250)) * time.Second)
		}
	}
}
