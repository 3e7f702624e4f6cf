package engine_test

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// FuzzHelpers: no data of a client or a server makes a helper panic, with and
// without translation, and what leaves is a packet that the table accepts.
func FuzzHelpers(f *testing.F) {
	for _, s := range []string{
		"INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Length: 80\r\n\r\nv=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 4000 R\r\n",
		"REGISTER sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport\r\nCSeq: 1 REGISTER\r\n" +
			"m: <sip:a@10.0.0.2>;expires=6\r\n",
		"SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@10.0.0.2:5060>, <sip:b@10.0.0.3>\r\nExpires: 60\r\n",
		"Amanda 2.4 REP\nCONNECT DATA 5000 MESG 05001 INDEX 5002\n",
		"\x00\x01file\x00octet\x00", "\x00\x00\x00\x07\x00\x00\x00\x01",
		"PORT 10,0,0,2,100,5\r\n", "227 (192,0,2,2,100,5)\r\n", "PRIVMSG bob :\x01DCC SEND file 167772162 5000\x01\r\n",
	} {
		f.Add([]byte(s), []byte("\x00\x00\x00\x00\x00\x00\x9c\x40"), false)
		f.Add([]byte(s), []byte(s), true)
	}
	second := engine.New(engine.Options{})
	f.Fuzz(func(t *testing.T, client, server []byte, nat bool) {
		if len(client) > 1400 || len(server) > 1400 {
			return
		}
		tab := engine.New(engine.Options{Rules: helperRules{nat: nat}, AlwaysEvents: true})
		send := func(b []byte, in, out string) {
			v := tab.Track(&engine.Packet{Data: b, Time: time.Unix(1, 0), In: in, Out: out})
			for _, p := range v.Leaves {
				if w := second.Track(&engine.Packet{Data: p, Time: time.Unix(1, 0)}); w.Reason.Code == engine.BadChecksum {
					t.Fatalf("%x leaves with a wrong checksum", p)
				}
			}
		}
		seen := "10.0.0.2"
		if nat {
			seen = "192.0.2.1"
		}
		for port := range helperPorts {
			c, s := packets.Addr("10.0.0.2"), packets.Addr("192.0.2.2")
			for _, u := range []packets.UDP{
				{Src: addrPort(c, 4000), Dst: addrPort(s, port), Data: client},
				{Src: addrPort(s, port), Dst: addrPort(packets.Addr(seen), 4000), Data: server},
			} {
				if u.Src.Addr() == c {
					send(u.Bytes(), "a", "b")
				} else {
					send(u.Bytes(), "b", "a")
				}
			}
			next := [2]uint32{1, 1}
			for i := range 7 {
				d, flags := i&1, uint8(packets.ACK)
				if i < 2 {
					flags = [2]uint8{packets.SYN, packets.SYN | packets.ACK}[i]
				}
				data := [][]byte{nil, nil, nil, []byte("hi\r\n"), []byte("x\r\n"), server, client}[i]
				x := packets.TCP{Src: addrPort(c, 4000), Dst: addrPort(s, port), Flags: flags, Data: data}
				x.Seq, x.Ack = next[0], next[1]
				dev := "ab"[d : d+1]
				if d == 1 {
					x.Src, x.Dst, x.Seq, x.Ack = addrPort(s, port), addrPort(packets.Addr(seen), 4000), next[1], next[0]
				}
				next[d] += uint32(len(data)) + uint32(flags>>1&1)
				send(x.Bytes(), dev, "ba"[d:d+1])
			}
		}
	})
}
