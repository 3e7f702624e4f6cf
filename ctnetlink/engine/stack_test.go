package engine_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	enchex "encoding/hex"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// router returns the machine on which the files in testdata were measured.
func router() engine.Host {
	h := engine.Host{Router: true}
	for _, a := range []struct{ dev, addr string }{
		{"lo", "127.0.0.1/8"}, {"lo", "::1/128"}, {"a", "10.0.0.1/32"}, {"b", "192.0.2.1/32"},
		{"a", "fd00:a::1/128"}, {"b", "fd00:b::1/128"},
	} {
		h.Addrs = append(h.Addrs, engine.Addr{Interface: a.dev, Prefix: netip.MustParsePrefix(a.addr)})
	}
	return h
}

// TestStack compares what the stack, routing and reassembly do with what Linux
// did.
func TestStack(t *testing.T) {
	for _, name := range []string{"stack4", "stack6", "fragments4", "fragments6"} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open("testdata/" + name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s := bufio.NewScanner(f)
			s.Buffer(nil, 1<<20)
			var tab *engine.Table
			var test string
			var n, packets int
			for s.Scan() {
				l := s.Text()
				switch {
				case l[0] == '#':
					continue
				case l[0] == '=':
					tab = engine.New(engine.Options{Host: router()})
					test, n = l[2:], 0
					continue
				}
				n++
				packets++
				w := strings.Split(l, " ")
				in, out := w[0], "b"
				if in == "b" {
					out = "a"
				}
				before := tab.Len()
				v := tab.Track(&engine.Packet{Data: unhex(t, w[3]), Time: time.Unix(1000, 0), In: in, Out: out})
				if got := gist(v, tab.Len()-before); got != w[1]+" "+w[2] {
					t.Errorf("%s, packet %d: %s, want %s %s (%s)", test, n, got, w[1], w[2], v.Reason)
				} else if len(w) > 4 {
					compareLeaves(t, test, v.Leaves, strings.Split(w[4], ","))
				}
			}
			if packets < 100 {
				t.Errorf("%d packets", packets)
			}
		})
	}
}

// gist returns the verdict, the way and the number of new entries as in the
// files.
func gist(v *engine.Verdict, made int) string {
	state := v.State.String()
	if v.State == engine.StateNone {
		state = "-"
	}
	way := map[engine.Fate]string{engine.Forwarded: "fwd", engine.Translated: "fwd", engine.Delivered: "in"}[v.Fate]
	if way == "" {
		way = "-"
	}
	return state + " " + way + string(rune('0'+made))
}

// compareLeaves compares the packets that leave with those that left a router,
// which has counted down the TTL, filled in options and, in IPv6, drawn an
// identification for fragments.
func compareLeaves(t *testing.T, test string, got [][]byte, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d packets leave, want %d", test, len(got), len(want))
		return
	}
	for i, g := range got {
		w := unhex(t, want[i])
		g = bytes.Clone(g)
		if len(g) != len(w) {
			t.Errorf("%s: packet %d that leaves has %d bytes, want %d", test, i+1, len(g), len(w))
			continue
		}
		if g[0]>>4 == 4 {
			// As the router forwards it.
			w[8]++
			for _, b := range [][]byte{g, w} {
				binary.BigEndian.PutUint16(b[10:], 0)
			}
			if n := int(g[0]&15) * 4; n > 20 && g[20] != 1 && g[20] != 148 {
				copy(w[20:n], g[20:n])
			}
		} else {
			w[7]++
			if at := fragmentAt(g); at > 0 && len(g) >= at+8 {
				copy(w[at+4:at+8], g[at+4:])
			}
		}
		if !bytes.Equal(g, w) {
			t.Errorf("%s: packet %d that leaves\n%x\nwant\n%x", test, i+1, g, w)
		}
	}
}

// fragmentAt returns the offset of an IPv6 packet's first fragment header, 0 if
// it has none.
func fragmentAt(b []byte) int {
	next, at := b[6], 40
	for at+2 <= len(b) {
		switch next {
		case 44:
			return at
		case 0, 43, 60:
		default:
			return 0
		}
		next, at = b[at], at+(int(b[at+1])+1)*8
	}
	return 0
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := enchex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
