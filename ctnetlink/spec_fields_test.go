package ctnetlink

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// TestSetters: each setter makes its field part of the request, so that the
// message has it; the field without its mark is an error that names it.
func TestSetters(t *testing.T) {
	tcp := NewTuple(ProtoTCP, netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:2"))
	nat := NAT{MinAddr: netip.MustParseAddr("192.0.2.1"), MinPort: 8080}
	for _, tt := range []struct {
		field string
		attr  Attr
		set   func(en *FlowSpec)
	}{
		{"Timeout", AttrTimeout, func(en *FlowSpec) { en.SetTimeout(time.Minute) }},
		{"Mark", AttrMark, func(en *FlowSpec) { en.SetMark(5, 0xff) }},
		{"Status", AttrStatus, func(en *FlowSpec) { en.SetStatus(StatusAssured) }},
		{"Zone", AttrZone, func(en *FlowSpec) { en.SetZone(7) }},
		{"ID", AttrID, func(en *FlowSpec) { en.SetID(9) }},
		{"ProtoInfo", AttrProtoInfo, func(en *FlowSpec) { en.SetState(TCPEstablished) }},
		{"ProtoInfo", AttrProtoInfo, func(en *FlowSpec) {
			en.SetProtoInfo(ProtoInfo{Proto: ProtoSCTP, Has: InfoState | InfoVTags, State: SCTPClosed, VTag: [2]uint32{1, 2}})
		}},
		{"Helper", AttrHelp, func(en *FlowSpec) { en.SetHelper("ftp") }},
		{"Labels", AttrLabels, func(en *FlowSpec) { en.SetLabels(NewLabels(3), nil) }},
		{"SrcNAT", AttrNATSrc, func(en *FlowSpec) { en.SetSrcNAT(nat) }},
		{"DstNAT", AttrNATDst, func(en *FlowSpec) { en.SetDstNAT(nat) }},
		{"Master", AttrTupleMaster, func(en *FlowSpec) { en.SetMaster(tcp) }},
	} {
		en := NewFlowSpec(tcp)
		tt.set(en)
		if err := en.check(); err != nil || !en.Set.Has(tt.attr) {
			t.Errorf("%s: %v, set %v", tt.field, err, en.Set)
		}
		var f Flow
		if err := f.Decode(en.AppendMessage(nil)); err != nil || !f.Has(tt.attr) {
			t.Errorf("%s: not in the message, %v", tt.field, err)
		}
		en.Set = en.Set.Without(tt.attr)
		var field *FieldError
		if err := en.check(); !errors.As(err, &field) || field.Field != "FlowSpec."+tt.field {
			t.Errorf("%s without its mark: %v", tt.field, err)
		}
	}
}

// TestSetMasked: what is outside of a mask stays as it is in the entry.
func TestSetMasked(t *testing.T) {
	var en FlowSpec
	en.SetMark(0x1234, 0xff)
	if en.Mark != 0x34 || en.MarkMask != 0xff {
		t.Errorf("mark %#x/%#x", en.Mark, en.MarkMask)
	}
	labels := NewLabels(1, 2, 100)
	en.SetLabels(labels, NewLabels(2, 3))
	if !reflect.DeepEqual(en.Labels, NewLabels(2)) || !reflect.DeepEqual(labels, NewLabels(1, 2, 100)) {
		t.Errorf("labels %v, of %v", en.Labels, labels)
	}
}

// TestSpecErrors: what cannot be sent as it is set, one for each kind.
func TestSpecErrors(t *testing.T) {
	tcp := NewTuple(ProtoTCP, netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:2"))
	c := fake().conn()
	create := func(change func(en *FlowSpec)) error {
		en := NewFlowSpec(tcp)
		en.SetTimeout(time.Minute)
		change(en)
		return c.Create(en)
	}
	for _, tt := range []struct {
		want string
		err  error
	}{
		{"FlowSpec.Timeout", c.Create(NewFlowSpec(tcp))},
		{"FlowSpec.Reply", create(func(en *FlowSpec) { en.Reply = Tuple{} })},
		{"FlowSpec.Orig", c.Delete(&FlowSpec{})},
		{"FlowSpec.Orig", c.Update(&FlowSpec{Mark: 1})},
		{"FlowSpec.MarkMask", create(func(en *FlowSpec) { en.MarkMask = 1 })},
		{"FlowSpec.Timeout", create(func(en *FlowSpec) { en.SetTimeout(-time.Second) })},
		{"FlowSpec.Timeout", create(func(en *FlowSpec) { en.SetTimeout(time.Hour * 24 * 366 * 200) })},
		{"FlowSpec.Set", create(func(en *FlowSpec) { en.Set = en.Set.With(AttrUse) })},
		{"FlowSpec.Orig.SrcPort", create(func(en *FlowSpec) { en.Orig.Has &^= FieldSrcPort })},
		{"FlowSpec.ProtoInfo.Proto", create(func(en *FlowSpec) { en.SetProtoInfo(ProtoInfo{Has: InfoState}) })},
		{"FlowSpec.ProtoInfo.State", create(func(en *FlowSpec) { en.SetState(TCPClose); en.ProtoInfo.State = SCTPClosed })},
		{"FlowSpec.ProtoInfo.State", create(func(en *FlowSpec) { en.SetState(TCPClose); en.ProtoInfo.Has = 0 })},
		{"FlowSpec.Master.Dst", create(func(en *FlowSpec) { en.SetMaster(Tuple{Has: FieldDst}) })},
		{"ExpectSpec.Zone", c.CreateExpect(&ExpectSpec{Zone: 3})},
		{"ExpectSpec.Mask.DstPort", c.CreateExpect(&ExpectSpec{Mask: Tuple{DstPort: 1}})},
		{"ExpectSpec.Tuple", c.DeleteExpect(&ExpectSpec{})},
	} {
		var field *FieldError
		if !errors.As(tt.err, &field) || field.Field != tt.want || !errors.Is(tt.err, EINVAL) {
			t.Errorf("%v, want one about %s", tt.err, tt.want)
		}
	}
}

// TestTimeoutSeconds: a fraction of a second counts as a whole one.
func TestTimeoutSeconds(t *testing.T) {
	for d, want := range map[time.Duration]uint32{
		0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, 1<<32*time.Second - time.Second: 1<<32 - 1,
	} {
		if got, ok := wireSeconds(d); got != want || !ok {
			t.Errorf("%v is %d seconds, %v", d, got, ok)
		}
	}
}
