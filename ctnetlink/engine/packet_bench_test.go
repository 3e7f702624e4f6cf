package engine_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// traffic is packets of 64 bytes of many flows, one after another.
type traffic []byte

const packetLen = 64

func (t traffic) packet(i int) []byte { return t[i*packetLen:][:packetLen:packetLen] }

func (t traffic) len() int { return len(t) / packetLen }

// newTraffic returns packets of n flows in an order of flows that is random: the
// first packet of each, then the answer to each, then another packet of each.
func newTraffic(proto ctnetlink.Protocol, n int) traffic {
	order := rand.New(rand.NewPCG(1, 2)).Perm(n)
	be := binary.BigEndian
	b := make(traffic, 3*n*packetLen)
	for i := range 3 * n {
		flow, p := order[i%n], b.packet(i)
		p[0], p[8], p[9] = 0x45, 64, byte(proto)
		be.PutUint16(p[2:], packetLen)
		client, server := p[12:], p[16:]
		sport, dport := p[20:], p[22:]
		reply := i/n == 1
		if reply {
			client, server, sport, dport = server, client, dport, sport
		}
		be.PutUint32(client, 10<<24|uint32(flow>>14))
		be.PutUint32(server, 192<<24|0x200+uint32(flow&3))
		be.PutUint16(sport, uint16(1024+flow>>2))
		be.PutUint16(dport, 443)
		be.PutUint16(p[10:], ^onesSum(p[:20], 0))
		if proto == ctnetlink.ProtoUDP {
			be.PutUint16(p[24:], packetLen-20)
			be.PutUint16(p[26:], ^onesSum(p[20:], uint32(onesSum(p[12:20], uint32(proto)+packetLen-20))))
			continue
		}
		p[32], p[33] = 11<<4, 0x10
		be.PutUint16(p[34:], 60000)
		switch i / n {
		case 0:
			p[33] = 2
			be.PutUint32(p[24:], 1000)
		case 1:
			p[33] = 0x12
			be.PutUint32(p[24:], 5000)
			be.PutUint32(p[28:], 1001)
		case 2:
			be.PutUint32(p[24:], 1001)
			be.PutUint32(p[28:], 5001)
		}
		for j := 40; j < packetLen; j++ {
			p[j] = 1 // no operation
		}
		be.PutUint16(p[36:], ^onesSum(p[20:], uint32(onesSum(p[12:20], uint32(proto)+packetLen-20))))
	}
	return b
}

// onesSum returns the sum of RFC 1071 over b, added to s.
func onesSum(b []byte, s uint32) uint16 {
	n := s
	for i := 0; i+1 < len(b); i += 2 {
		n += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	n = n&0xffff + n>>16
	return uint16(n&0xffff + n>>16)
}

func benchmarkTrack(b *testing.B, proto ctnetlink.Protocol) {
	const n = million
	packets := newTraffic(proto, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	tab := engine.New(engine.Options{Max: 2 * n, Accounting: true})
	now := time.Unix(1_700_000_000, 0)
	p := engine.Packet{Time: now}
	states := [engine.StateUnknown + 1]int{}
	step := func(k int) {
		start := time.Now()
		for i := range n {
			p.Data = packets.packet(k*n + i)
			p.Time = p.Time.Add(time.Microsecond)
			states[tab.Track(&p).State]++
		}
		b.ReportMetric(float64(n)/time.Since(start).Seconds()/1e6, fmt.Sprintf("Mpps%d", k+1))
	}
	b.ResetTimer()
	for b.Loop() {
		step(0)
		step(1)
		step(2)
		step(2)
		step(2)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/entry")
	if states[engine.StateNew] != n*b.N || states[engine.StateEstablished] != 4*n*b.N {
		b.Fatal(states)
	}
	runtime.KeepAlive(tab)
}

func BenchmarkTrackUDP(b *testing.B) { benchmarkTrack(b, ctnetlink.ProtoUDP) }
func BenchmarkTrackTCP(b *testing.B) { benchmarkTrack(b, ctnetlink.ProtoTCP) }
