package timo

import (
	"encoding/binary"
	"errors"
	"reflect"

	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Filter converts the filters of a dump. A conntrack.Filter cannot compare
// tuples, and does not choose the table: those fields of q have no effect.
func Filter(q *ctnetlink.DumpRequest) conntrack.Filter {
	f := conntrack.NewFilter().Family(netfilter.ProtoFamily(q.Family))
	if q.Set.Has(ctnetlink.AttrMark) {
		f = f.Mark(q.Mark).MarkMask(q.MarkMask)
	}
	if q.Set.Has(ctnetlink.AttrStatus) {
		f = f.Status(Status(q.Status)).StatusMask(uint32(q.StatusMask))
	}
	if q.Set.Has(ctnetlink.AttrZone) {
		f = f.Zone(q.Zone)
	}
	return f
}

// FromFilter converts a filter. As always with a DumpRequest, a kernel that does
// not know a filter returns more entries, so that those must be matched again.
//
// The fields of a conntrack.Filter are not exported. FromFilter reads them by
// reflection, as they are in version 0.6.0 of ti-mo/conntrack, and returns an
// error for a filter that is built differently.
func FromFilter(f conntrack.Filter) (*ctnetlink.DumpRequest, error) {
	attrs, family, err := filterFields(f)
	if err != nil {
		return nil, err
	}
	q := &ctnetlink.DumpRequest{Family: family}
	number := func(a ctnetlink.Attr) (uint32, bool) {
		b := attrs[a]
		if len(b) != 4 {
			return 0, false
		}
		return binary.BigEndian.Uint32(b), true
	}
	// A mask without a value has no effect.
	if mark, ok := number(ctnetlink.AttrMark); ok {
		q.Mark, q.MarkMask, q.Set = mark, ^uint32(0), q.Set.With(ctnetlink.AttrMark)
		if mask, ok := number(ctnetlink.AttrMarkMask); ok {
			q.MarkMask = mask
		}
	}
	if status, ok := number(ctnetlink.AttrStatus); ok {
		q.Status, q.StatusMask = ctnetlink.Status(status), ctnetlink.Status(status)
		q.Set = q.Set.With(ctnetlink.AttrStatus)
		if mask, ok := number(ctnetlink.AttrStatusMask); ok {
			q.StatusMask = ctnetlink.Status(mask)
		}
	}
	if zone := attrs[ctnetlink.AttrZone]; len(zone) == 2 {
		q.Zone, q.Set = binary.BigEndian.Uint16(zone), q.Set.With(ctnetlink.AttrZone)
	}
	return q, nil
}

// errFilter is returned for a filter that FromFilter cannot read.
var errFilter = errors.New("unknown implementation of conntrack.Filter")

// filterFields returns what a filter has in its fields: the payloads of
// attributes, and the family.
func filterFields(f conntrack.Filter) (attrs map[ctnetlink.Attr][]byte, family ctnetlink.Family, err error) {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, 0, errFilter
	}
	payloads, l3 := v.Elem().FieldByName("f"), v.Elem().FieldByName("l3")
	if payloads.Kind() != reflect.Map || l3.Kind() != reflect.Uint8 {
		return nil, 0, errFilter
	}
	attrs = make(map[ctnetlink.Attr][]byte)
	for _, key := range payloads.MapKeys() {
		payload := payloads.MapIndex(key)
		if !key.CanUint() || payload.Kind() != reflect.Slice || payload.Type().Elem().Kind() != reflect.Uint8 {
			return nil, 0, errFilter
		}
		attrs[ctnetlink.Attr(key.Uint())] = payload.Bytes()
	}
	return attrs, ctnetlink.Family(l3.Uint()), nil
}

// matches reports whether an entry meets the filters of q, as the kernel
// compares them: one of its directions must be in the zone, or both in zone 0.
func matches(q *ctnetlink.DumpRequest, f *ctnetlink.Flow) bool {
	if q.Family != ctnetlink.FamilyAny && q.Family != f.Family() {
		return false
	}
	mark, _ := f.Mark()
	status, _ := f.Status()
	if q.Set.Has(ctnetlink.AttrMark) && mark&q.MarkMask != q.Mark ||
		q.Set.Has(ctnetlink.AttrStatus) && status&q.StatusMask != q.Status {
		return false
	}
	if !q.Set.Has(ctnetlink.AttrZone) {
		return true
	}
	zone, _ := f.Zone()
	orig, reply := max(zone, f.Orig().Zone), max(zone, f.Reply().Zone)
	if q.Zone == 0 {
		return orig|reply == 0
	}
	return orig == q.Zone || reply == q.Zone
}
