package top

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// anExpect returns an expectation of a connection to a port.
func anExpect(t *testing.T, id uint32, port uint16, helper string) live.Expectation {
	t.Helper()
	all := netip.MustParseAddr("255.255.255.255")
	s := ctnetlink.ExpectSpec{
		Family: ctnetlink.FamilyIPv4,
		Master: ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort("192.168.100.200:54321"),
			netip.MustParseAddrPort("192.0.2.1:21")),
		Tuple: ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.MustParseAddrPort("192.0.2.1:0"),
			netip.AddrPortFrom(netip.MustParseAddr("192.168.100.200"), port)),
		Mask: ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.AddrPortFrom(all, 0), netip.AddrPortFrom(all, 0xffff)),
		ID:   id, HasID: true, Timeout: 300 * time.Second, HasTimeout: true, Helper: helper,
	}
	x := new(ctnetlink.Expect)
	if err := x.Decode(s.AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	return live.Expectation{Expect: x}
}

func TestExpects(t *testing.T) {
	for _, c := range []struct {
		name         string
		utf8         bool
		width, lines int
		want         string
	}{
		{"the smallest screen", false, 40, 5, `
  EXPIRES  SOURCE     DESTINATION
>      5m  192.0.2.1  192.16~0.200:40000
       5m  192.0.2.1  192.168.100.200:7
`},
		{"80", true, 80, 5, `
  PROTO  EXPIRES  SOURCE     DESTINATION            MASTER
> tcp         5m  192.0.2.1  192.168.100.200:40000  192…200:54321 > 192.0.2.1:21
  tcp         5m  192.0.2.1  192.168.100.200:7      192…200:54321 > 192.0.2.1:21
`},
		{"120", true, 120, 2, `
  PROTO  EXPIRES  SOURCE     DESTINATION            MASTER                                HELPER
> tcp         5m  192.0.2.1  192.168.100.200:40000  192.168.100.200:54321 > 192.0.2.1:21  ftp
`},
	} {
		m := panelModel(t, styles{utf8: c.utf8}, expectPanel)
		m.panel().answer(m, expectsMsg{rows: []live.Expectation{anExpect(t, 1, 40000, "ftp"), anExpect(t, 2, 7, "f\x1bp")}})
		t.Run(c.name, func(t *testing.T) { checkPanel(t, m, c.width, c.lines, c.want) })
	}
	m := panelModel(t, styles{color: true}, expectPanel)
	p := m.panel().(*expects)
	p.answer(m, expectsMsg{rows: []live.Expectation{anExpect(t, 1, 40000, "ftp"), anExpect(t, 2, 7, "f\x1bp")}})
	checkSizes(t, m)

	// The cursor stays on its expectation.
	pressAll(m, "down")
	p.answer(m, expectsMsg{rows: []live.Expectation{anExpect(t, 2, 7, "ftp"), anExpect(t, 3, 7, "ftp")}})
	if id, _ := p.rows[p.scroll.cursor].Expect.ID(); id != 2 {
		t.Errorf("the cursor is on expectation %d", id)
	}
	p.answer(m, expectsMsg{})
	checkPanel(t, m, 80, 5, "\nThere are no expectations: no helper waits for a connection.\n")
	checkPanel(t, m, 40, 5, "\nThere are no expectations: no helper\nwaits for a connection.\n")
	checkSizes(t, m)
	m.search = "ftp"
	checkPanel(t, m, 80, 5, "\nNo expectations have the text that was searched for.\n")
	p.answer(m, expectsMsg{err: errors.New("no \x1b rights")})
	checkPanel(t, m, 80, 5, "\nno \\x1b rights\n")
}
