package engine

import (
	"bytes"
	"encoding/binary"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// changes are the attributes that an update can change, in the kernel's order.
// If one is refused, the earlier ones stay changed.
var changes = []struct {
	attr  ctnetlink.Attr
	apply func(*Table, *entry, *entryAttrs) errno
}{
	{ctnetlink.AttrHelp, (*Table).changeHelper},
	{ctnetlink.AttrTimeout, (*Table).changeTimeout},
	{ctnetlink.AttrStatus, (*Table).changeStatus},
	{ctnetlink.AttrProtoInfo, (*Table).changeProtoInfo},
	{ctnetlink.AttrMark, (*Table).changeMark},
	{ctnetlink.AttrSeqAdjOrig, (*Table).changeSeqAdj},
	{ctnetlink.AttrSeqAdjReply, (*Table).changeSeqAdj},
	{ctnetlink.AttrSynproxy, (*Table).changeSynproxy},
	{ctnetlink.AttrLabels, (*Table).changeLabels},
}

// change applies an update (ctnetlink_change_conntrack).
func (t *Table) change(e *entry, a *entryAttrs) errno {
	if a.has(ctnetlink.AttrNATSrc) || a.has(ctnetlink.AttrNATDst) || a.has(ctnetlink.AttrTupleMaster) {
		return ctnetlink.EOPNOTSUPP
	}
	for _, c := range changes {
		if a.has(c.attr) {
			if no := c.apply(t, e, a); no != 0 {
				return no
			}
		}
	}
	return 0
}

// parseHelp returns the helper's name in CTA_HELP.
func parseHelp(val []byte) (name string, no errno) {
	var tb [3][]byte
	if no := parse(val, tb[:], helpPolicy); no != 0 {
		return "", no
	}
	if tb[wire.HelpName] == nil {
		return "", ctnetlink.EINVAL
	}
	name, _, _ = cut(tb[wire.HelpName])
	return name, 0
}

// cut cuts a string at its NUL.
func cut(b []byte) (s string, rest []byte, found bool) {
	before, after, found := bytes.Cut(b, []byte{0})
	return string(before), after, found
}

// changeHelper removes the entry's helper (the name is empty) or checks that
// the name is that of the helper it has. An entry gets a helper when it is
// created or never.
func (t *Table) changeHelper(e *entry, a *entryAttrs) errno {
	name, no := parseHelp(a[ctnetlink.AttrHelp])
	if no != 0 {
		return no
	}
	x := t.extension(e)
	if x != nil && x.master != nil {
		if x.helper != nil && x.helper.name == name {
			return 0
		}
		return ctnetlink.EBUSY
	}
	if name == "" {
		if x != nil && x.helper != nil {
			t.dropExpectations(e)
			x.helper = nil
		}
		return 0
	}
	h := findHelper(name, e.family(), e.protocol())
	if x != nil && x.helper != nil && x.helper.name == name {
		h = x.helper
	}
	switch {
	case h == nil, x == nil, !x.hasHelp:
		return ctnetlink.EOPNOTSUPP
	case x.helper != h:
		return ctnetlink.EBUSY
	}
	return 0
}

func (t *Table) changeTimeout(e *entry, a *entryAttrs) errno {
	if e.status&ctnetlink.StatusFixedTimeout != 0 {
		return ctnetlink.EPERM
	}
	t.setDeadline(e, t.now.after(a.u32(ctnetlink.AttrTimeout)))
	e.has |= hasTimeout
	return 0
}

// changeStatus sets status bits. A request that would change a bit that belongs
// to the table, or clear one that no request can clear, is refused.
func (t *Table) changeStatus(e *entry, a *entryAttrs) errno {
	v := ctnetlink.Status(a.u32(ctnetlink.AttrStatus))
	if (e.status^v)&(ctnetlink.StatusExpected|ctnetlink.StatusConfirmed|ctnetlink.StatusDying) != 0 ||
		e.status&^v&(ctnetlink.StatusSeenReply|ctnetlink.StatusAssured) != 0 {
		return ctnetlink.EBUSY
	}
	e.status |= v & settableStatus
	return 0
}

func (t *Table) changeMark(e *entry, a *entryAttrs) errno {
	var keep uint32
	if a.has(ctnetlink.AttrMarkMask) {
		keep = ^a.u32(ctnetlink.AttrMarkMask)
	}
	e.mark = e.mark&keep ^ a.u32(ctnetlink.AttrMark)
	return 0
}

// changeProtoInfo changes the protocol state from CTA_PROTOINFO. The state of
// another protocol is ignored.
func (t *Table) changeProtoInfo(e *entry, a *entryAttrs) errno {
	var tb [4][]byte
	if no := parse(a[ctnetlink.AttrProtoInfo], tb[:], infoPolicy); no != 0 {
		return no
	}
	switch proto := e.protocol(); {
	case proto == ctnetlink.ProtoTCP && tb[wire.InfoTCP] != nil:
		return e.proto.changeTCP(tb[wire.InfoTCP])
	case proto == ctnetlink.ProtoSCTP && tb[wire.InfoSCTP] != nil:
		return e.proto.changeSCTP(tb[wire.InfoSCTP])
	}
	return 0
}

// windowScale is IP_CT_TCP_FLAG_WINDOW_SCALE: the direction offered window
// scaling.
const windowScale = uint8(ctnetlink.TCPWindowScale)

func (p *protoState) changeTCP(val []byte) errno {
	var tb [6][]byte
	if no := parse(val, tb[:], tcpPolicy); no != 0 {
		return no
	}
	if v := tb[wire.InfoTCPState]; v != nil {
		p.state = v[0]
	}
	for d := range direction(2) {
		if v := tb[wire.InfoTCPFlagsOrig+d]; v != nil {
			p.flags[d] = p.flags[d]&^v[1] | v[0]&v[1]
		}
	}
	scales := tb[wire.InfoTCPWScaleOrig:][:2]
	if scales[original] != nil && scales[reply] != nil && p.flags[original]&p.flags[reply]&windowScale != 0 {
		p.wscale = [2]uint8{scales[original][0], scales[reply][0]}
	}
	return 0
}

func (p *protoState) changeSCTP(val []byte) errno {
	var tb [4][]byte
	if no := parse(val, tb[:], sctpPolicy); no != 0 {
		return no
	}
	state, tagOrig, tagReply := tb[wire.InfoSCTPState], tb[wire.InfoSCTPVTagOrig], tb[wire.InfoSCTPVTagReply]
	if state == nil || tagOrig == nil || tagReply == nil {
		return ctnetlink.EINVAL
	}
	p.state = state[0]
	p.vtag = [2]uint32{binary.BigEndian.Uint32(tagOrig), binary.BigEndian.Uint32(tagReply)}
	return 0
}

// changeSeqAdj changes the sequence adjustment of both directions. If one is
// incomplete, the numbers before the missing one stay changed.
func (t *Table) changeSeqAdj(e *entry, a *entryAttrs) errno {
	for d := range direction(2) {
		val := a[ctnetlink.AttrSeqAdjOrig+ctnetlink.Attr(d)]
		if val == nil {
			continue
		}
		var tb [4][]byte
		if no := parse(val, tb[:], seqAdjPolicy); no != 0 {
			return no
		}
		s := &t.extend(e).seqAdj[d]
		for i, to := range []*uint32{&s.pos, &s.before, &s.after} {
			v := tb[wire.SeqAdjPos+i]
			if v == nil {
				return ctnetlink.EINVAL
			}
			*to = binary.BigEndian.Uint32(v)
		}
		e.status |= ctnetlink.StatusSeqAdjust
	}
	return 0
}

func (t *Table) changeSynproxy(e *entry, a *entryAttrs) errno {
	var tb [4][]byte
	if no := parse(a[ctnetlink.AttrSynproxy], tb[:], synproxyPolicy); no != 0 {
		return no
	}
	var n [3]uint32
	for i := range n {
		v := tb[wire.SynproxyISN+i]
		if v == nil {
			return ctnetlink.EINVAL
		}
		n[i] = binary.BigEndian.Uint32(v)
	}
	if e.has&hasSynproxy != 0 {
		t.extend(e).synproxy = n
	}
	return 0
}

// changeLabels replaces the labels, or only the bits in the mask if there is
// one. Words that were not sent become 0 (nf_connlabels_replace).
func (t *Table) changeLabels(e *entry, a *entryAttrs) errno {
	val, mask := a[ctnetlink.AttrLabels], a[ctnetlink.AttrLabelsMask]
	if len(val)%4 != 0 {
		return ctnetlink.EINVAL
	}
	if mask != nil && (len(mask) == 0 || len(mask) != len(val)) {
		return ctnetlink.EINVAL
	}
	x := t.extend(e)
	labels := [labelsLen]byte{}
	for i := range val {
		if mask != nil {
			labels[i] = x.labels[i] &^ mask[i]
		}
		labels[i] ^= val[i]
	}
	x.labels = labels
	return 0
}
