package engine_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/packets"
)

// move is one step of a scenario: a packet, or time that passes, or a request.
type move struct {
	packet []byte
	at     netlab.Side // where it is put in
	output bool        // the machine itself sends it
	// flow, if it is not 0, is the number of the packet's flow. How a flow's last
	// packet left is remembered, and answer makes the move's packet from it, for
	// what the generator cannot know as it was translated; from the last answer
	// instead if flow is negative. Nothing is sent if answer returns nil.
	flow   int
	answer func(left []byte) []byte
	other  int  // the answer is remembered as a packet of this flow, if it is not 0
	exact  bool // the packet is not changed to answer what was translated
	// wait is time for which the test waits.
	wait time.Duration
	// jump is time that passes for the engine at once. In the kernel, whose clock
	// cannot be set, the entries are made older by requests.
	jump time.Duration
	// request is a request of ctnetlink that both tables get.
	request *ctRequest
}

// ctRequest is a request of ctnetlink.
type ctRequest struct {
	typ, flags uint16
	family     uint8
	attrs      []byte
	text       string // for people
}

// String describes the move.
func (m move) String() string {
	switch {
	case m.request != nil:
		return m.request.text
	case m.wait > 0:
		return fmt.Sprintf("wait %v", m.wait)
	case m.jump > 0:
		return fmt.Sprintf("%v later", m.jump)
	case m.packet == nil:
		return fmt.Sprintf("at %s an answer in flow %d", m.at, m.flow)
	}
	where := "at " + m.at.String()
	if m.output {
		where = "sent "
	}
	return fmt.Sprintf("%s %s", where, packets.Describe(m.packet))
}

// gen makes the moves of a scenario.
type gen struct {
	*rand.Rand
	set   *setting
	moves []move
}

// builder is a packet of package packets.
type builder interface{ Bytes() []byte }

// a puts a packet in at device a, b at device b.
func (g *gen) a(p builder) { g.moves = append(g.moves, move{packet: p.Bytes(), at: netlab.A}) }
func (g *gen) b(p builder) { g.moves = append(g.moves, move{packet: p.Bytes(), at: netlab.B}) }

// in puts the bytes of a packet in at a device.
func (g *gen) in(at netlab.Side, p []byte) { g.moves = append(g.moves, move{packet: p, at: at}) }

// output lets the machine itself send a packet.
func (g *gen) output(p builder) { g.moves = append(g.moves, move{packet: p.Bytes(), output: true}) }

// later lets time pass without waiting, wait by waiting.
func (g *gen) later(d time.Duration) { g.moves = append(g.moves, move{jump: d}) }
func (g *gen) wait(d time.Duration)  { g.moves = append(g.moves, move{wait: d}) }

// request sends a request of ctnetlink to both tables.
func (g *gen) request(r ctRequest) { g.moves = append(g.moves, move{request: &r}) }

// chance is true in percent of the cases.
func (g *gen) chance(percent int) bool { return g.IntN(100) < percent }

// oneOf returns one of the values.
func oneOf[T any](g *gen, of ...T) T { return of[g.IntN(len(of))] }

// some returns a number from low to high.
func (g *gen) some(low, high int) int { return low + g.IntN(high-low+1) }

// bytes returns up to n bytes of data.
func (g *gen) bytes(n int) []byte {
	b := make([]byte, g.IntN(n+1))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

// client returns an address and port beyond device a, server one beyond device
// b. There are few, so that flows meet.
func (g *gen) client(v6 bool) netip.AddrPort {
	port := uint16(oneOf(g, 1000, 1001, 5000, 40000, g.IntN(65536)))
	if v6 {
		return netip.AddrPortFrom(packets.Addr(fmt.Sprintf("fd00:a::%d", g.some(2, 5))), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(g.some(2, 5))}), port)
}

func (g *gen) server(v6 bool, ports ...uint16) netip.AddrPort {
	port := uint16(oneOf(g, 53, 80, 5000, g.IntN(65536)))
	if len(ports) > 0 {
		port = oneOf(g, ports...)
	}
	if v6 {
		return netip.AddrPortFrom(packets.Addr(fmt.Sprintf("fd00:b::%d", g.some(2, 4))), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(g.some(2, 4))}), port)
}

// shuffle brings a list into some order, in percent of the cases.
func shuffle[T any](g *gen, percent int, list []T) []T {
	if g.chance(percent) {
		g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// withoutTime removes moves that let time pass.
func (g *gen) withoutTime() {
	g.moves = slices.DeleteFunc(g.moves, func(m move) bool { return m.jump > 0 || m.wait > 0 })
}

// merge makes the moves of several scenarios happen at the same time. Of their
// waits, the first ones become one, then the second ones, and so on, so that a
// test of many flows waits as long as a test of one.
func (g *gen) merge(n int, scenario func()) {
	all := make([][]move, n)
	before := g.moves
	for i := range all {
		g.moves = nil
		scenario()
		all[i] = g.moves
	}
	g.moves = before
	for {
		left, wait := 0, time.Duration(0)
		for i := range all {
			left += len(all[i])
		}
		if left == 0 {
			return
		}
		for {
			var ready []int
			for i, m := range all {
				if len(m) > 0 && m[0].wait == 0 {
					ready = append(ready, i)
				}
			}
			if len(ready) == 0 {
				break
			}
			i := ready[g.IntN(len(ready))]
			g.moves = append(g.moves, all[i][0])
			all[i] = all[i][1:]
		}
		for i, m := range all {
			if len(m) > 0 {
				wait = max(wait, m[0].wait)
				all[i] = m[1:]
			}
		}
		if wait > 0 {
			g.wait(wait)
		}
	}
}

// plain is a setting without rules of its own, with some of the variables set in
// half of the cases.
func plain(g *gen, variables ...[2]string) *setting {
	set := new(setting)
	if g.chance(50) {
		for _, v := range variables {
			if g.chance(50) {
				set.sysctls = append(set.sysctls, v)
			}
		}
	}
	return set
}

// rulesOf returns a table with chains of rules: pairs of a chain's head, such as
// "type filter hook forward priority 0", and its rules, one per line.
func rulesOf(chains ...[2]string) string {
	b := new(strings.Builder)
	b.WriteString("table inet test {\n")
	for i, c := range chains {
		fmt.Fprintf(b, "\tchain c%d {\n\t\t%s;\n", i, strings.TrimSuffix(c[0], ";"))
		for line := range strings.Lines(c[1]) {
			b.WriteString("\t\t" + strings.TrimSpace(line) + "\n")
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	return b.String()
}
