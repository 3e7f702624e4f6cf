package packets

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// Types of SCTP chunks (RFC 9260).
const (
	ChunkData             = 0
	ChunkInit             = 1
	ChunkInitAck          = 2
	ChunkSack             = 3
	ChunkHeartbeat        = 4
	ChunkHeartbeatAck     = 5
	ChunkAbort            = 6
	ChunkShutdown         = 7
	ChunkShutdownAck      = 8
	ChunkError            = 9
	ChunkCookieEcho       = 10
	ChunkCookieAck        = 11
	ChunkShutdownComplete = 14
	ChunkASCONF           = 193
)

// Chunk is a chunk of an SCTP packet.
type Chunk struct {
	Type, Flags uint8
	Value       []byte
	Length      int // 0: the right one
}

// InitChunk returns an INIT or INIT ACK chunk with an initiate tag.
func InitChunk(typ uint8, tag uint32) Chunk {
	b := be.AppendUint32(nil, tag)
	b = be.AppendUint32(b, 65535) // advertised receiver window
	b = append(b, 0, 1, 0, 1)     // streams
	return Chunk{Type: typ, Value: be.AppendUint32(b, 1)}
}

// SCTP is an SCTP packet in an IP packet.
type SCTP struct {
	Src, Dst netip.AddrPort
	Tag      uint32 // verification tag
	Chunks   []Chunk
	BadCRC   bool
	Cut      int // the packet has only this many bytes; 0: all
	IP       IP  // the header's other fields
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Bytes returns the packet.
func (p SCTP) Bytes() []byte {
	b := make([]byte, 12, 64)
	be.PutUint16(b, p.Src.Port())
	be.PutUint16(b[2:], p.Dst.Port())
	be.PutUint32(b[4:], p.Tag)
	for _, c := range p.Chunks {
		b = append(b, c.Type, c.Flags)
		b = be.AppendUint16(b, uint16(number(c.Length, 4+len(c.Value))))
		b = append(b, padded(c.Value, 0)...)
	}
	if p.Cut != 0 && p.Cut < len(b) {
		b = b[:max(p.Cut, 0)]
	}
	if len(b) >= 12 {
		sum := crc32.Checksum(b, castagnoli)
		if p.BadCRC {
			sum ^= 0x1111
		}
		binary.LittleEndian.PutUint32(b[8:], sum)
	}
	h := p.IP
	h.Src, h.Dst, h.Proto, h.Payload = p.Src.Addr(), p.Dst.Addr(), ProtoSCTP, b
	return h.Bytes()
}
