package main

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// What the filtered rows look for in a mixed table.
var rareSource = netip.AddrFrom4([4]byte{192, 0, 2, 77}) // of one entry

const rarePort = 8883 // of one TCP entry in 1 024

const (
	assured   = ctnetlink.StatusConfirmed | ctnetlink.StatusSeenReply | ctnetlink.StatusAssured
	unreplied = ctnetlink.StatusConfirmed
)

// generator makes the entry of each number; all differ in both directions.
type generator func(i int) ctnetlink.FlowSpec

// mixedEntry is an entry of a router's table: 65 536 clients, each with
// several connections, most of them established TCP.
func mixedEntry(i int) ctnetlink.FlowSpec {
	h := scatter(i)
	switch {
	case i == 0:
		en := tcpEntry(i)
		en.Orig.Src, en.Reply.Dst = rareSource, rareSource
		return en
	case i%1024 == 5:
		return entry(i, client(i), server(h), ctnetlink.ProtoTCP, rarePort, assured, ctnetlink.TCPEstablished)
	case i%16 == 7:
		return entry(i, client6(i), server6(h), ctnetlink.ProtoTCP, 443, assured, ctnetlink.TCPEstablished)
	case i%8 == 3:
		return entry(i, client(i), server(h), ctnetlink.ProtoUDP, 443, assured, 0)
	case i%16 == 14:
		return entry(i, client(i), server(h), ctnetlink.ProtoUDP, 53, unreplied, 0)
	case i%32 == 9:
		return entry(i, client(i), server(h), ctnetlink.ProtoTCP, 80, assured, ctnetlink.TCPTimeWait)
	}
	return tcpEntry(i)
}

// tcpEntry is an established TCP connection over IPv4.
func tcpEntry(i int) ctnetlink.FlowSpec {
	h := scatter(i)
	port := [...]uint16{443, 80, 22, 5432, 443, 8080, 993, 443}[h>>29]
	return entry(i, client(i), server(h), ctnetlink.ProtoTCP, port, assured, ctnetlink.TCPEstablished)
}

// entry has a client and a source port that no other number has. Its timeout
// outlives the run.
func entry(
	i int,
	src, dst netip.Addr,
	proto ctnetlink.Protocol,
	port uint16,
	status ctnetlink.Status,
	state ctnetlink.State,
) ctnetlink.FlowSpec {
	const have = ctnetlink.FieldAddrs | ctnetlink.FieldPorts | ctnetlink.FieldProto
	sport := uint16(32768 + i>>16)
	en := ctnetlink.FlowSpec{
		Family:  ctnetlink.FamilyIPv4,
		Orig:    ctnetlink.Tuple{Has: have, Proto: proto, Src: src, Dst: dst, SrcPort: sport, DstPort: port},
		Reply:   ctnetlink.Tuple{Has: have, Proto: proto, Src: dst, Dst: src, SrcPort: port, DstPort: sport},
		Status:  status,
		Timeout: time.Duration(100_000+scatter(i)%300_000) * time.Second,
	}
	if src.Is6() {
		en.Family = ctnetlink.FamilyIPv6
	}
	en.Set = en.Set.With(ctnetlink.AttrStatus).With(ctnetlink.AttrTimeout)
	if proto == ctnetlink.ProtoTCP {
		en.ProtoInfo = ctnetlink.ProtoInfo{Proto: proto, Has: ctnetlink.InfoState, State: state}
		en.Set = en.Set.With(ctnetlink.AttrProtoInfo)
	}
	return en
}

// scatter spreads numbers over 32 bits, one to one (Knuth's multiplier).
func scatter(i int) uint32 { return uint32(i) * 2654435761 }

func client(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 20, byte(i >> 8), byte(i)}) }

func client6(i int) netip.Addr {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0x20}
	binary.BigEndian.PutUint16(a[14:], uint16(i))
	return netip.AddrFrom16(a)
}

func server(h uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{198, 51, 100 + byte(h>>24)&7, byte(h >> 16)})
}

func server6(h uint32) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0x51, 15: byte(h >> 16)})
}
