package ctnetlink

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	second "github.com/ti-mo/conntrack"
)

// trafficRules track what goes over the loopback device, with marks, labels
// and zones.
const trafficRules = labelRules + `
table inet traffic {
	chain before {
		type filter hook output priority -400
		udp dport 7001 ct zone set 7
		udp dport 7002 ct original zone set 8
		udp dport 7003 ct reply zone set 9
	}
	chain after {
		type filter hook output priority 0
		tcp dport 1-65535 ct mark set 0x1234 ct label set 5
		ct state new counter
	}
}`

// talk exchanges datagrams and bytes over the loopback device: n connections
// of each kind.
func talk(t testing.TB, n int) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 2000)
	for i := range n {
		host := []string{"127.0.0.1", "::1"}[i%2]
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		must(err)
		out, err := net.Dial("tcp", l.Addr().String())
		must(err)
		in, err := l.Accept()
		must(err)
		must(in.SetDeadline(time.Now().Add(10 * time.Second)))
		_, err = out.Write(buf[:1+i*7%len(buf)])
		must(err)
		_, err = in.Read(buf)
		must(err)
		if i%3 == 0 {
			must(out.Close())
		} else {
			defer out.Close()
		}
		must(in.Close())
		must(l.Close())

		server, err := net.ListenPacket("udp", net.JoinHostPort(host, fmt.Sprint(7000+i%4)))
		must(err)
		must(server.SetDeadline(time.Now().Add(10 * time.Second)))
		client, err := net.Dial("udp", server.LocalAddr().String())
		must(err)
		_, err = client.Write(buf[:1+i*11%len(buf)])
		must(err)
		_, from, err := server.ReadFrom(buf)
		must(err)
		if i%2 == 0 {
			_, err = server.WriteTo(buf[:9], from)
			must(err)
		}
		must(client.Close())
		must(server.Close())
	}
}

// TestSecondOpinion: an independent decoder sees the same in a table of all
// kinds of entries, field by field. What was not sent it shows as zero.
func TestSecondOpinion(t *testing.T) {
	c := namespace(t)
	nft(t, trafficRules)
	talk(t, 40)
	populate(t, c, rand.New(rand.NewPCG(15, 16)), 0, 3000)
	for i := range 50 { // translated, and with a master
		en := benchEntry(1<<22 + i)
		en.SrcNAT, en.Set = NAT{MinAddr: netip.MustParseAddr("198.51.100.1")}, en.Set.With(AttrNATSrc)
		create(t, c, en)
		en = benchEntry(1<<22 + 100 + i)
		en.Master, en.Set = benchEntry(1<<22+i).Orig, en.Set.With(AttrTupleMaster)
		create(t, c, en)
	}

	other, err := second.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	theirs, err := other.Dump(nil)
	if err != nil {
		t.Fatal(err)
	}
	ours := table(t, c, &DumpRequest{})
	if len(ours) != len(theirs) || len(ours) < 3100 {
		t.Errorf("%d entries here, %d there", len(ours), len(theirs))
	}
	wrong := 0
	for i := range theirs {
		f := ours[theirs[i].ID]
		if f == nil {
			t.Errorf("not listed: %+v", theirs[i])
			continue
		}
		if d := differences(f, &theirs[i]); len(d) > 0 && wrong < 10 {
			wrong++
			t.Errorf("%s\nin %x\nand %+v", d, f.Message(), theirs[i])
		}
	}
}

// differences compares every field that the other library knows.
func differences(f *Flow, o *second.Flow) (d []string) {
	differ := func(what string, ours, theirs any) {
		if ours != theirs {
			d = append(d, fmt.Sprintf("%s: %v here, %v there; ", what, ours, theirs))
		}
	}
	id, _ := f.ID()
	differ("id", id, o.ID)
	status, _ := f.Status()
	differ("status", uint32(status), uint32(o.Status))
	mark, _ := f.Mark()
	differ("mark", mark, o.Mark)
	zone, _ := f.Zone()
	differ("zone", zone, o.Zone)
	use, _ := f.Use()
	differ("use", use, o.Use)
	if timeout, _ := f.Timeout(); timeout > seconds(o.Timeout) || timeout+10*time.Second < seconds(o.Timeout) { // ours was read later
		differ("timeout", timeout, o.Timeout)
	}
	differTuple := func(what string, t *Tuple, o *second.Tuple) {
		differ(what+" source", t.Src, o.IP.SourceAddress)
		differ(what+" destination", t.Dst, o.IP.DestinationAddress)
		differ(what+" zone", t.Zone, o.Zone)
		differ(what+" protocol", uint8(t.Proto), o.Proto.Protocol)
		differ(what+" source port", t.SrcPort, o.Proto.SourcePort)
		differ(what+" destination port", t.DstPort, o.Proto.DestinationPort)
		differ(what+" icmp id", t.ICMPID, o.Proto.ICMPID)
		differ(what+" icmp type", t.ICMPType, o.Proto.ICMPType)
		differ(what+" icmp code", t.ICMPCode, o.Proto.ICMPCode)
		differ(what+" is icmp", t.Has&FieldICMPType != 0, o.Proto.ICMPv4 || o.Proto.ICMPv6)
	}
	differTuple("original", f.Orig(), &o.TupleOrig)
	differTuple("reply", f.Reply(), &o.TupleReply)
	master, _ := f.Master()
	differTuple("master", &master, &o.TupleMaster)

	info, _ := f.ProtoInfo()
	state, _ := f.State()
	differ("state, twice here", state, info.State)
	if p := o.ProtoInfo.TCP; p != nil {
		differ("tcp", info.Proto, ProtoTCP)
		differ("tcp state", state.Number(), p.State)
		differ("tcp window scales", info.WScale, [2]uint8{p.OriginalWindowScale, p.ReplyWindowScale})
		flags := func(i int) uint16 { return uint16(info.Flags[i].Value)<<8 | uint16(info.Flags[i].Mask) }
		differ("tcp flags", [2]uint16{flags(0), flags(1)}, [2]uint16{p.OriginalFlags, p.ReplyFlags})
	}
	if p := o.ProtoInfo.SCTP; p != nil {
		differ("sctp", info.Proto, ProtoSCTP)
		differ("sctp state", state.Number(), p.State)
		differ("sctp tags", info.VTag, [2]uint32{p.VTagOriginal, p.VTagReply})
	}
	differ("any state", f.Has(AttrProtoInfo), o.ProtoInfo.TCP != nil || o.ProtoInfo.SCTP != nil || o.ProtoInfo.DCCP != nil)

	helper, _ := f.Helper()
	differ("helper", string(helper), o.Helper.Name)
	secctx, _ := f.SecCtx()
	differ("security context", string(secctx), string(o.SecurityContext))
	packets, octets, _ := f.CountersOrig()
	differ("packets", packets, o.CountersOrig.Packets)
	differ("bytes", octets, o.CountersOrig.Bytes)
	packets, octets, _ = f.CountersReply()
	differ("packets of the reply", packets, o.CountersReply.Packets)
	differ("bytes of the reply", octets, o.CountersReply.Bytes)
	start, _ := f.Start()
	differ("start", true, start.Equal(o.Timestamp.Start))
	labels, _ := f.Labels()
	differ("labels", true, bytes.Equal(labels, o.Labels))
	return d
}

// TestSecondOpinionCounters compares statistics. (The other library's global
// ones wait for the end of a dump, which the kernel does not send.)
func TestSecondOpinionCounters(t *testing.T) {
	c := namespace(t)
	populate(t, c, rand.New(rand.NewPCG(17, 18)), 0, 20)
	other, err := second.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	stats, err := other.Stats()
	if err != nil {
		t.Fatal(err)
	}
	cpus := 0
	err = c.Stats(func(cpu int, counters []CPUStat) {
		cpus++
		for _, o := range stats {
			if int(o.CPUID) != cpu {
				continue
			}
			theirs := map[uint16]uint32{2: o.Found, 4: o.Invalid, 8: o.Insert, 9: o.InsertFailed, 10: o.Drop, 11: o.EarlyDrop, 12: o.Error, 13: o.SearchRestart}
			for _, s := range counters {
				if v, known := theirs[s.Attr]; known && v != s.Value {
					t.Errorf("cpu %d, counter %d: %d here, %d there", cpu, s.Attr, s.Value, v)
				}
			}
		}
	})
	if err != nil || cpus != len(stats) {
		t.Errorf("%d CPUs here, %d there, %v", cpus, len(stats), err)
	}
}
