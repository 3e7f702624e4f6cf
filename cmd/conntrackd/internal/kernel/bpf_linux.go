package kernel

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The filter in the kernel leaves out events that the filter here would leave out, before
// they are queued. It never leaves out a DESTROY, nor what it cannot judge, nor a change
// to a state that is not kept alike: that ends the entry for the peers.

// Places and numbers of linux/netlink.h, nfnetlink.h and nfnetlink_conntrack.h.
const (
	offFamily = 16 // nfgen_family
	headLen   = 20 // where attributes begin

	attrTupleOrig, attrTupleReply, attrProtoInfo = 1, 2, 4
	attrTupleIP, attrTupleProto                  = 1, 2
	attrV4Src, attrV6Src                         = 1, 3
	attrProtoNum                                 = 1
	attrInfoTCP, attrTCPState                    = 1, 1

	subsysConntrack, msgDelete = 1, 2

	acceptAll = 0xffffffff // as much of a message as there is

	// maxProgram is how many instructions the kernel takes (BPF_MAXINSNS).
	maxProgram = 4096
)

// assembler makes a program. Jumps lead forward to labels.
type assembler struct {
	code  []bpf.Instruction
	jumps map[int]string // which instruction leads to which label
	marks map[string]int
}

func (a *assembler) add(i ...bpf.Instruction) { a.code = append(a.code, i...) }
func (a *assembler) mark(label string)        { a.marks[label] = len(a.code) }

// jump goes on at a label.
func (a *assembler) jump(label string) {
	a.jumps[len(a.code)] = label
	a.add(bpf.Jump{})
}

// when goes on at a label if A compares so.
func (a *assembler) when(cond bpf.JumpTest, v uint32, label string) {
	a.add(bpf.JumpIf{Cond: cond, Val: v, SkipFalse: 1})
	a.jump(label)
}

// find looks for an attribute in the nest at A, or in the message, and goes on at
// "accept" if there is none. Its offset is in A then.
func (a *assembler) find(typ uint32, nested bool) {
	a.add(bpf.LoadConstant{Dst: bpf.RegX, Val: typ})
	if nested {
		a.add(bpf.LoadExtension{Num: bpf.ExtNetlinkAttrNested})
	} else {
		a.add(bpf.LoadConstant{Dst: bpf.RegA, Val: headLen}, bpf.LoadExtension{Num: bpf.ExtNetlinkAttr})
	}
	a.when(bpf.JumpEqual, 0, "accept")
}

// finish returns the program, nil if it is too long.
func (a *assembler) finish() []bpf.Instruction {
	if len(a.code) > maxProgram {
		return nil
	}
	for at, label := range a.jumps {
		a.code[at] = bpf.Jump{Skip: uint32(a.marks[label] - at - 1)}
	}
	return a.code
}

// filterProgram returns the program for a filter, nil if there is nothing to leave out or
// the filter is too long for the kernel.
func filterProgram(c *config.Filter) []bpf.Instruction {
	if c.Protocols == nil && c.Addresses == nil && c.States == nil {
		return nil
	}
	a := &assembler{jumps: map[int]string{}, marks: map[string]int{}}
	// Headers are in the order of the machine.
	low, high := uint32(0), uint32(1)
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		low, high = 1, 0
	}
	a.add(bpf.LoadAbsolute{Off: 4 + high, Size: 1}) // nlmsg_type: the subsystem
	a.when(bpf.JumpNotEqual, subsysConntrack, "accept")
	a.add(bpf.LoadAbsolute{Off: 4 + low, Size: 1}) // the message
	a.when(bpf.JumpEqual, msgDelete, "accept")
	if c.Protocols != nil {
		a.protocols(c.Protocols)
	}
	if c.Addresses != nil {
		a.addresses(c.Addresses)
	}
	if c.States != nil {
		a.add(bpf.LoadAbsolute{Off: 6 + high, Size: 1}) // nlmsg_flags: CREATE and EXCL, as NEW has them
		a.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x06})
		a.when(bpf.JumpEqual, 0, "accept")
		a.states(c.States)
	}
	a.mark("accept")
	a.add(bpf.RetConstant{Val: acceptAll})
	a.mark("reject")
	a.add(bpf.RetConstant{Val: 0})
	return a.finish()
}

// verdicts returns where to go on with what a list contains, and with what it does not.
func verdicts(ignore bool, next string) (in, out string) {
	if ignore {
		return "reject", next
	}
	return next, "reject"
}

func (a *assembler) protocols(l *config.List[ctnetlink.Protocol]) {
	in, out := verdicts(l.Ignore, "addresses")
	a.find(attrTupleOrig, false)
	a.find(attrTupleProto, true)
	a.find(attrProtoNum, true)
	a.add(bpf.TAX{}, bpf.LoadIndirect{Off: 4, Size: 1})
	for _, p := range l.Items {
		a.when(bpf.JumpEqual, uint32(p), in)
	}
	a.jump(out)
	a.mark("addresses")
}

func (a *assembler) states(l *config.List[ctnetlink.State]) {
	in, out := verdicts(l.Ignore, "accept")
	a.find(attrProtoInfo, false)
	a.find(attrInfoTCP, true)
	a.find(attrTCPState, true)
	a.add(bpf.TAX{}, bpf.LoadIndirect{Off: 4, Size: 1})
	for _, s := range l.Items {
		a.when(bpf.JumpEqual, uint32(s.Number()), in)
	}
	a.jump(out)
}

// addresses compares the source of both directions with a list of networks.
func (a *assembler) addresses(l *config.List[netip.Prefix]) {
	in, out := verdicts(l.Ignore, "states")
	var v4, v6 []netip.Prefix
	for _, p := range l.Items {
		switch {
		case !p.IsValid():
		case p.Addr().Is4():
			v4 = append(v4, p.Masked())
		default:
			v6 = append(v6, p.Masked())
		}
	}
	a.add(bpf.LoadAbsolute{Off: offFamily, Size: 1})
	a.when(bpf.JumpEqual, uint32(ctnetlink.FamilyIPv6), "v6")
	a.source(attrTupleOrig, attrV4Src, v4, in)
	a.source(attrTupleReply, attrV4Src, v4, in)
	a.jump(out)
	a.mark("v6")
	a.source(attrTupleOrig, attrV6Src, v6, in)
	a.source(attrTupleReply, attrV6Src, v6, in)
	a.jump(out)
	a.mark("states")
}

// source compares the source of a tuple with networks of one family.
func (a *assembler) source(tuple, attr uint32, networks []netip.Prefix, in string) {
	a.find(tuple, false)
	a.find(attrTupleIP, true)
	a.find(attr, true)
	a.add(bpf.TAX{})
	for _, p := range networks {
		addr := p.Addr().AsSlice()
		var compare []bpf.Instruction
		for off := 0; off*8 < p.Bits(); off += 4 {
			mask := uint32(0xffffffff)
			if rest := p.Bits() - off*8; rest < 32 {
				mask <<= 32 - rest
			}
			compare = append(compare,
				bpf.LoadIndirect{Off: 4 + uint32(off), Size: 4},
				bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask},
				bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: binary.BigEndian.Uint32(addr[off:])})
		}
		for i, c := range compare {
			if j, ok := c.(bpf.JumpIf); ok { // past the jump behind them
				j.SkipTrue = uint8(len(compare) - i)
				compare[i] = j
			}
		}
		a.add(compare...)
		a.jump(in)
	}
}
