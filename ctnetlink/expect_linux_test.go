package ctnetlink

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// helped makes the i-th entry with the FTP helper, so that it may be the
// master of expectations.
func helped(t testing.TB, c *Conn, i int) *FlowSpec {
	t.Helper()
	en := benchEntry(i)
	en.Helper, en.Set = "ftp", en.Set.With(AttrHelp)
	create(t, c, en)
	return en
}

// expectation is one of a data connection to a port of master's client.
func expectation(master *FlowSpec, port uint16) *ExpectSpec {
	want := Tuple{
		Has: FieldAddrs | FieldProto | FieldPorts, Proto: ProtoTCP,
		Src: master.Orig.Dst, Dst: master.Orig.Src, DstPort: port,
	}
	mask := want
	mask.Src, mask.Dst = netip.AddrFrom4([4]byte{255, 255, 255, 255}), netip.AddrFrom4([4]byte{255, 255, 255, 255})
	mask.DstPort = 0xffff
	return &ExpectSpec{
		Family: FamilyIPv4, Tuple: want, Mask: mask, Master: master.Orig,
		Timeout: time.Minute, HasTimeout: true,
	}
}

// expected reads the expectations into copies.
func expected(t testing.TB, c *Conn, family Family) (all []*Expect) {
	t.Helper()
	for e, err := range c.DumpExpect(family) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Clone())
	}
	return all
}

// TestExpectations makes, reads, identifies, deletes and flushes them.
func TestExpectations(t *testing.T) {
	c := namespace(t)
	master := helped(t, c, 1)
	x := expectation(master, 4000)
	if err := c.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	for _, e := range []func() *Expect{
		func() *Expect {
			e, err := c.GetExpect(&ExpectSpec{Family: FamilyIPv4, Tuple: x.Tuple})
			if err != nil {
				t.Fatal(err)
			}
			return e
		},
		func() *Expect {
			all := expected(t, c, FamilyIPv4)
			if len(all) != 1 || len(expected(t, c, FamilyIPv6)) != 0 || len(expected(t, c, FamilyAny)) != 1 {
				t.Fatalf("%d expectations listed", len(all))
			}
			return all[0]
		},
	} {
		e := e()
		timeout, _ := e.Timeout()
		helper, _ := e.Helper()
		if *e.Tuple() != x.Tuple || e.Mask().SrcPort != 0 || e.Mask().DstPort != 0xffff || *e.Master() != master.Orig ||
			timeout < 200*time.Second || timeout > 300*time.Second || string(helper) != "ftp" { // the helper's own timeout
			t.Errorf("%+v %+v %+v, timeout %d, helper %q", *e.Tuple(), *e.Mask(), *e.Master(), timeout, helper)
		}
		class, ok := e.Class()
		if _, has := e.Flags(); !ok || !has || class != 0 {
			t.Error("no class or no flags")
		}
		var same ExpectSpec
		same.Identify(e)
		if !same.HasID || same.Tuple != x.Tuple || same.Family != FamilyIPv4 {
			t.Errorf("%+v", same)
		}
		other := same
		other.ID++
		if err := c.DeleteExpect(&other); !errors.Is(err, ENOENT) {
			t.Error("another id:", err)
		}
		if _, err := c.GetExpect(&other); !errors.Is(err, ENOENT) {
			t.Error("get of another id:", err)
		}
		if _, err := c.GetExpect(&same); err != nil {
			t.Error("get:", err)
		}
	}
	for port := uint16(4001); port < 4005; port++ {
		if err := c.CreateExpect(expectation(helped(t, c, int(port)), port)); err != nil {
			t.Fatal(err)
		}
	}
	var same ExpectSpec
	same.Identify(expected(t, c, FamilyAny)[2])
	if err := c.DeleteExpect(&same); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteExpect(&same); !errors.Is(err, ENOENT) {
		t.Error("once more:", err)
	}
	if n := len(expected(t, c, FamilyAny)); n != 4 {
		t.Errorf("%d left of 5", n)
	}
	if err := c.FlushExpect(); err != nil || len(expected(t, c, FamilyAny)) != 0 {
		t.Errorf("flush: %v", err)
	}
	// They go with their master.
	if err := c.CreateExpect(x); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(master); err != nil || len(expected(t, c, FamilyAny)) != 0 {
		t.Errorf("delete of the master: %v", err)
	}
}

// TestAnswersExpect: what the kernel says to expectations.
func TestAnswersExpect(t *testing.T) {
	c := namespace(t)
	// with creates a master, and an expectation after a change.
	with := func(change func(x *ExpectSpec)) func(*Conn, *FlowSpec) error {
		return func(c *Conn, en *FlowSpec) error {
			en.Helper, en.Set = "ftp", en.Set.With(AttrHelp)
			create(t, c, en)
			x := expectation(en, 5000)
			change(x)
			return c.CreateExpect(x)
		}
	}
	twice := func(change func(x *ExpectSpec)) func(*Conn, *FlowSpec) error {
		return func(c *Conn, en *FlowSpec) error {
			if err := with(func(*ExpectSpec) {})(c, en); err != nil {
				return err
			}
			x := expectation(en, 5000)
			change(x)
			return c.CreateExpect(x)
		}
	}
	more := func(body func(e *encoder)) func(*Conn, *FlowSpec) error {
		return func(c *Conn, en *FlowSpec) error {
			en.Helper, en.Set = "ftp", en.Set.With(AttrHelp)
			create(t, c, en)
			var plain encoder
			expectation(en, 5000).append(&plain, header{})
			return ask(c, wire.SubsysExpect, wire.MsgNew, wire.FlagCreate|wire.FlagExcl, FamilyIPv4, func(e *encoder) {
				e.B = append(e.B, plain.B[wire.HeadLen:]...)
				body(e)
			})
		}
	}
	get := func(change func(x *ExpectSpec)) func(*Conn, *FlowSpec) error {
		return func(c *Conn, en *FlowSpec) error {
			if err := with(func(*ExpectSpec) {})(c, en); err != nil {
				return err
			}
			x := &ExpectSpec{Family: FamilyIPv4, Tuple: expectation(en, 5000).Tuple}
			change(x)
			_, err := c.GetExpect(x)
			return err
		}
	}
	checkAnswers(t, c, 4000, []answer{
		{"nothing special", 0, with(func(*ExpectSpec) {})},
		{"no tuple", EINVAL, with(func(x *ExpectSpec) { x.Tuple = Tuple{} })},
		{"no mask", EINVAL, with(func(x *ExpectSpec) { x.Mask = Tuple{} })},
		{"no master", EINVAL, with(func(x *ExpectSpec) { x.Master = Tuple{} })},
		{"master missing", ENOENT, with(func(x *ExpectSpec) { x.Master.SrcPort++ })},
		{"master of another zone", ENOENT, with(func(x *ExpectSpec) { x.Zone, x.HasZone = 3, true })},
		{"master without helper", EOPNOTSUPP, func(c *Conn, en *FlowSpec) error {
			create(t, c, en)
			return c.CreateExpect(expectation(en, 5000))
		}},
		{"family 3", EOPNOTSUPP, with(func(x *ExpectSpec) { x.Family = 3 })},
		{"the other family", EINVAL, with(func(x *ExpectSpec) { x.Family = FamilyIPv6 })},
		{"the same tuple", EEXIST, twice(func(*ExpectSpec) {})},
		{"an overlapping mask", EBUSY, twice(func(x *ExpectSpec) {
			x.Tuple.Src, x.Mask.Src = x.Tuple.Src.Next(), netip.AddrFrom4([4]byte{255, 255, 255, 0})
		})},
		{"mask without ports", EINVAL, with(func(x *ExpectSpec) { x.Mask = x.Mask.Only(^FieldPorts) })},
		{"class 100", EINVAL, more(func(e *encoder) { e.U32(wire.ExpectClass, 100) })},
		{"unknown function", EINVAL, more(func(e *encoder) { e.Str(wire.ExpectFn, "none-such") })},
		{"flags 8", EINVAL, more(func(e *encoder) { e.U32(wire.ExpectFlags, 8) })},
		{"flags 7", 0, more(func(e *encoder) { e.U32(wire.ExpectFlags, 7) })},
		{"incomplete NAT", EINVAL, more(func(e *encoder) { e.Close(e.Nest(wire.ExpectNAT)) })},
		{"a helper's name is ignored", 0, more(func(e *encoder) { e.Str(wire.ExpectHelpName, "none-such") })},
		{"get by tuple", 0, get(func(*ExpectSpec) {})},
		{"get by master", ENOENT, get(func(x *ExpectSpec) { x.Master, x.Tuple = benchEntry(4000).Orig, Tuple{} })},
		{"get by neither", EINVAL, get(func(x *ExpectSpec) { x.Tuple = Tuple{} })},
		{"get of another id", ENOENT, get(func(x *ExpectSpec) { x.ID, x.HasID = 12345, true })},
		{"delete of none", ENOENT, func(c *Conn, en *FlowSpec) error {
			return c.DeleteExpect(expectation(en, 5000))
		}},
	})
}
