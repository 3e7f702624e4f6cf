package ctnetlink

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// labelRules make the kernel keep labels.
const labelRules = `table inet labels {
	chain output {
		type filter hook output priority 0
		ct label 1 counter
	}
}`

// TestAnswersNewAttributes: what the kernel says to the rest of an entry.
func TestAnswersNewAttributes(t *testing.T) {
	c := namespace(t)
	status := func(s Status) func(en *FlowSpec) { return func(en *FlowSpec) { en.Status = s } }
	was := StatusConfirmed | StatusSeenReply | StatusAssured
	tcpState := func(s uint8) func(en *FlowSpec) {
		return func(en *FlowSpec) { en.ProtoInfo.State = NewState(ProtoTCP, s) }
	}
	sctp := func(state uint8, has InfoFields) func(en *FlowSpec) {
		return func(en *FlowSpec) {
			proto(ProtoSCTP, FieldPorts)(en)
			en.Set = en.Set.With(AttrProtoInfo)
			en.ProtoInfo = ProtoInfo{Proto: ProtoSCTP, Has: has, State: NewState(ProtoSCTP, state)}
		}
	}
	helper := func(name string) func(en *FlowSpec) {
		return func(en *FlowSpec) { en.Helper, en.Set = name, en.Set.With(AttrHelp) }
	}
	checkAnswers(t, c, 2000, []answer{
		{"EXPECTED set later", EBUSY, updating(status(was | StatusExpected))},
		{"DYING", EBUSY, updating(status(was | StatusDying))},
		{"CONFIRMED missing", EBUSY, creating(status(StatusSeenReply))},
		{"status 0", EBUSY, creating(status(0))},
		{"SEEN_REPLY cleared", EBUSY, updating(status(was &^ StatusSeenReply))},
		{"ASSURED cleared", EBUSY, updating(status(was &^ StatusAssured))},
		{"EXPECTED, which only a master sets", EBUSY, creating(status(was | StatusExpected))},
		{"ignored bits", 0, updating(status(was | 0x1f0 | StatusTemplate | StatusUntracked | 0xffffc000))},
		{"FIXED_TIMEOUT", 0, updating(func(en *FlowSpec) { en.Status, en.Set = was|StatusFixedTimeout, en.Set&^(1<<AttrTimeout) })},
		{"its timeout", EPERM, func(c *Conn, en *FlowSpec) error {
			en.Status |= StatusFixedTimeout
			if err := kernelCreate(c, en); err != nil {
				return err
			}
			return kernelUpdate(c, en)
		}},
		{"tcp state 9", 0, creating(tcpState(9))},
		{"tcp state 10", ERANGE, creating(tcpState(10))},
		{"sctp", 0, creating(sctp(4, InfoState|InfoVTags))},
		{"sctp state 8", 0, creating(sctp(8, InfoState|InfoVTags))},
		{"sctp state 99", ERANGE, creating(sctp(99, InfoState|InfoVTags))},
		{"sctp without verification tags", EINVAL, creating(sctp(4, InfoState))},
		{"sctp without state at all", 0, creating(proto(ProtoSCTP, FieldPorts))},
		{"another protocol's state", 0, creating(func(en *FlowSpec) { sctp(4, InfoState)(en); proto(ProtoUDP, FieldPorts)(en) })},
		{"helper unknown", EOPNOTSUPP, creating(helper("none-such"))},
		{"helper of another protocol", EOPNOTSUPP, creating(helper("tftp"))},
		{"helper without a name", EOPNOTSUPP, creating(helper(""))},
		{"helper of 16 characters", EINVAL, creating(helper(strings.Repeat("x", 16)))},
		{"helper with very many", EINVAL, creating(helper(strings.Repeat("x", 1<<17)))},
		{"helper lacking the name", EINVAL, creatingWith(func(e *encoder) { e.Close(e.Nest(uint16(AttrHelp))) })},
		{"helper without NUL", EINVAL, creatingWith(func(e *encoder) { e.Bytes(uint16(AttrHelp), attribute(wire.HelpName, -1, []byte("ftp")...)) })},
		{"helper", 0, creating(helper("ftp"))},
		{"the same helper later", 0, func(c *Conn, en *FlowSpec) error {
			helper("ftp")(en)
			_ = kernelCreate(c, en)
			return kernelUpdate(c, en)
		}},
		{"another helper later", EBUSY, func(c *Conn, en *FlowSpec) error {
			helper("ftp")(en)
			_ = kernelCreate(c, en)
			en.Helper = "irc"
			return kernelUpdate(c, en)
		}},
		{"a helper where none was", EOPNOTSUPP, updating(helper("ftp"))},
		{"an attribute too short", ERANGE, creatingWith(func(e *encoder) { e.Bytes(uint16(AttrMark), []byte{1, 2}) })},
		{"too long", 0, creatingWith(func(e *encoder) { e.Bytes(uint16(AttrMark), make([]byte, 8)) })},
		{"unknown", 0, creatingWith(func(e *encoder) { e.Bytes(99, make([]byte, 8)) })},
		{"overrunning the end", 0, creatingWith(func(e *encoder) { e.B = append(e.B, attribute(uint16(AttrMark), 400, 1, 2, 3, 4)...) })},
		{"not marked as nested", 0, func(c *Conn, en *FlowSpec) error {
			return ask(c, wire.SubsysConntrack, wire.MsgNew, wire.FlagCreate|wire.FlagExcl, en.Family, func(e *encoder) {
				var plain encoder
				plain.tuple(uint16(AttrTupleOrig), &en.Orig)
				e.Bytes(uint16(AttrTupleOrig), plain.B[wire.AttrHeaderLen:])
				e.tuple(uint16(AttrTupleReply), &en.Reply)
				e.U32(uint16(AttrTimeout), 10)
			})
		}},
		{"twice: the last wins", 0, func(c *Conn, en *FlowSpec) error {
			if err := askNew(c, wire.FlagCreate|wire.FlagExcl, en, func(e *encoder) { e.U32(uint16(AttrMark), 0xabcdef) }); err != nil {
				return err
			}
			f, err := c.Get(en)
			if mark, _ := f.Mark(); mark != 0xabcdef {
				t.Errorf("mark %x", mark)
			}
			return err
		}},
		{"timeout 0", ENOENT, func(c *Conn, en *FlowSpec) error {
			en.Timeout = 0
			if err := kernelCreate(c, en); err != nil {
				t.Error("create:", err)
			}
			_, err := c.Get(en)
			return err
		}},
		{"timeout too big", 0, func(c *Conn, en *FlowSpec) error {
			en.Timeout = seconds(1<<32 - 1)
			_ = kernelCreate(c, en)
			f, err := c.Get(en)
			if timeout, _ := f.Timeout(); timeout > seconds(8_589_934) || timeout < seconds(8_589_900) {
				t.Errorf("timeout %d", timeout)
			}
			return err
		}},
		{"labels without a rule, on create", 0, creating(func(en *FlowSpec) { en.Labels, en.Set = make([]byte, 16), en.Set.With(AttrLabels) })},
		{"labels without a rule, on update", ENOSPC, updating(func(en *FlowSpec) { en.Labels, en.Set = []byte{1, 0, 0, 0}, en.Set.With(AttrLabels) })},
	})
}

// TestAnswersLabels needs a rule that looks at labels.
func TestAnswersLabels(t *testing.T) {
	c := namespace(t)
	nft(t, labelRules)
	set := func(labels, mask int) func(en *FlowSpec) {
		return func(en *FlowSpec) {
			en.Labels, en.Set = bytes.Repeat([]byte{1}, labels), en.Set.With(AttrLabels)
			if mask >= 0 {
				en.LabelsMask, en.Set = bytes.Repeat([]byte{255}, mask), en.Set.With(AttrLabelsMask)
			}
		}
	}
	checkAnswers(t, c, 3000, []answer{
		{"3 bytes", EINVAL, updating(set(3, -1))},
		{"20 bytes", ERANGE, updating(set(20, -1))},
		{"very many", ERANGE, updating(set(1<<17, -1))},
		{"a mask of another length", EINVAL, updating(set(8, 4))},
		{"4 bytes", 0, updating(set(4, -1))},
		{"16 bytes and a mask", 0, updating(set(16, 16))},
		{"on create", 0, creating(set(16, -1))},
	})
}

// TestLabelMasks: labels without a mask replace the set, with one they act on
// its bits alone.
func TestLabelMasks(t *testing.T) {
	c := namespace(t)
	nft(t, labelRules)
	labels := NewLabels
	en := benchEntry(1)
	en.Labels, en.Set = labels(0, 7, 33, 127), en.Set.With(AttrLabels)
	if err := kernelCreate(c, en); err != nil {
		t.Fatal(err)
	}
	expect := func(want []byte) {
		t.Helper()
		f, err := c.Get(en)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := f.Labels(); !bytes.Equal(got, want) {
			t.Errorf("labels %x, want %x", got, want)
		}
	}
	expect(labels(0, 7, 33, 127))
	up := &FlowSpec{Family: en.Family, Orig: en.Orig, Set: AttrSet(0).With(AttrLabels).With(AttrLabelsMask)}
	up.Labels, up.LabelsMask = labels(5, 33), labels(5, 7)
	if err := kernelUpdate(c, up); err != nil {
		t.Fatal(err)
	}
	f, err := c.Get(en)
	if err != nil {
		t.Fatal(err)
	}
	// Bit 33 was set and is outside the mask: the kernel flips it.
	if got, _ := f.Labels(); !bytes.Equal(got, labels(0, 5, 127)) {
		t.Errorf("labels %x after a masked update", got)
	}
	up.Set = AttrSet(0).With(AttrLabels)
	up.Labels = labels(64)
	if err := kernelUpdate(c, up); err != nil {
		t.Fatal(err)
	}
	expect(labels(64))
}
