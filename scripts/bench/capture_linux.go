package main

import (
	"bufio"
	"encoding/binary"
	"math/rand/v2"
	"os"
)

// packetsPerFlow are a handshake, or a question and an answer, and what follows.
const packetsPerFlow = 5

// writeCapture writes a capture of raw IP packets of 64 bytes, half TCP and half
// UDP, of flows in random order: first a packet of each, then the answer to each,
// and so on.
func writeCapture(path string, flows int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	le := binary.LittleEndian
	var head [24]byte
	le.PutUint32(head[:], 0xa1b2c3d4)
	le.PutUint16(head[4:], 2)
	le.PutUint16(head[6:], 4)
	le.PutUint32(head[16:], 65535)
	le.PutUint32(head[20:], 101) // LINKTYPE_RAW
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	order := rand.New(rand.NewPCG(1, 2)).Perm(flows)
	var record [16 + capturedLen]byte
	for n := range packetsPerFlow {
		for i, flow := range order {
			at := n*flows + i // microseconds: a million packets a second
			le.PutUint32(record[:], uint32(1_700_000_000+at/1_000_000))
			le.PutUint32(record[4:], uint32(at%1_000_000))
			le.PutUint32(record[8:], capturedLen)
			le.PutUint32(record[12:], capturedLen)
			capturedPacket(record[16:], flow, n)
			if _, err := w.Write(record[:]); err != nil {
				return err
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// capturedLen is the length of a packet.
const capturedLen = 64

// capturedPacket makes the nth packet of a flow: flows with an odd number are of
// UDP.
func capturedPacket(p []byte, flow, n int) {
	clear(p)
	be := binary.BigEndian
	proto := byte(6 + 11*(flow&1))
	client, server, sport, dport := p[12:16], p[16:20], p[20:22], p[22:24]
	if n == 1 {
		client, server, sport, dport = server, client, dport, sport
	}
	p[0], p[8], p[9] = 0x45, 64, proto
	be.PutUint16(p[2:], capturedLen)
	be.PutUint32(client, 10<<24|uint32(flow>>15))
	be.PutUint32(server, 192<<24|0x200+uint32(flow>>1&3))
	be.PutUint16(sport, uint16(1024+flow>>3))
	be.PutUint16(dport, 443)
	be.PutUint16(p[10:], checksum(p[:20], 0))
	pseudo := uint32(proto) + capturedLen - 20 + uint32(^checksum(p[12:20], 0))
	if proto == 17 {
		be.PutUint16(p[24:], capturedLen-20)
		be.PutUint16(p[26:], checksum(p[20:], pseudo))
		return
	}
	const syn, ack = 2, 16
	seq, acked, flags := uint32(1001), uint32(5001), byte(ack)
	switch n {
	case 0:
		seq, acked, flags = 1000, 0, syn
	case 1:
		seq, acked, flags = 5000, 1001, syn|ack
	}
	be.PutUint32(p[24:], seq)
	be.PutUint32(p[28:], acked)
	p[32], p[33] = 5<<4, flags
	be.PutUint16(p[34:], 60000)
	if n < 2 {
		p[32] = (capturedLen - 20) / 4 << 4
		for i := 40; i < capturedLen; i++ {
			p[i] = 1 // no operation
		}
	}
	be.PutUint16(p[36:], checksum(p[20:], pseudo))
}

// checksum returns the checksum of RFC 1071 over b, added to s.
func checksum(b []byte, s uint32) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	s = s&0xffff + s>>16
	return ^uint16(s + s>>16)
}
