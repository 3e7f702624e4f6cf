package timo

import (
	"encoding/binary"
	"errors"
	"reflect"

	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Filter converts the criteria of a dump. A conntrack.Filter cannot compare
// tuples, and does not choose the table: those fields of q have no effect.
func Filter(q *ctnetlink.DumpRequest) conntrack.Filter {
	f := conntrack.NewFilter().Family(netfilter.ProtoFamily(q.Family))
	if q.MarkMask != 0 {
		f = f.Mark(q.Mark).MarkMask(q.MarkMask)
	}
	if q.StatusMask != 0 {
		f = f.Status(Status(q.Status)).StatusMask(uint32(q.StatusMask))
	}
	if q.Zone != 0 {
		f = f.Zone(q.Zone)
	}
	return f
}

// FromFilter converts a filter. A zone of 0, and a mask of 0, is no criterion in
// a DumpRequest.
//
// The fields of a conntrack.Filter are not exported. FromFilter reads them by
// reflection, as they are in version 0.6.0 of ti-mo/conntrack, and returns an
// error for a filter that is built differently.
func FromFilter(f conntrack.Filter) (*ctnetlink.DumpRequest, error) {
	s, err := newSelection(f)
	if err != nil {
		return nil, err
	}
	return &s.DumpRequest, nil
}

// selection is a filter with what a DumpRequest cannot say.
type selection struct {
	ctnetlink.DumpRequest
	// noZone selects entries that are in zone 0 in both directions.
	noZone bool
	// none: no entry matches. refused: the kernel refuses the filter.
	none, refused bool
}

func newSelection(f conntrack.Filter) (*selection, error) {
	attrs, family, err := filterFields(f)
	if err != nil {
		return nil, err
	}
	number := func(a ctnetlink.Attr) (uint32, bool) {
		b := attrs[a]
		if len(b) != 4 {
			return 0, false
		}
		return binary.BigEndian.Uint32(b), true
	}
	s := new(selection)
	s.Family = family
	// A mask without a value has no effect.
	if mark, ok := number(ctnetlink.AttrMark); ok {
		s.Mark, s.MarkMask = mark, ^uint32(0)
		if mask, ok := number(ctnetlink.AttrMarkMask); ok {
			s.MarkMask = mask
		}
	}
	if status, ok := number(ctnetlink.AttrStatus); ok {
		s.Status, s.StatusMask = ctnetlink.Status(status), ctnetlink.Status(status)
		if mask, ok := number(ctnetlink.AttrStatusMask); ok {
			s.StatusMask = ctnetlink.Status(mask)
		}
		s.refused = s.StatusMask == 0
	}
	if zone := attrs[ctnetlink.AttrZone]; len(zone) == 2 {
		s.Zone = binary.BigEndian.Uint16(zone)
		s.noZone = s.Zone == 0
	}
	s.none = s.Mark&^s.MarkMask != 0 || s.Status&^s.StatusMask != 0
	return s, nil
}

// all reports whether a family is the only criterion.
func (s *selection) all() bool {
	return s.MarkMask == 0 && s.StatusMask == 0 && s.Zone == 0 && !s.noZone && !s.none && !s.refused
}

// dump lists the entries that are selected.
func (s *selection) dump(c *ctnetlink.Conn, each func(*ctnetlink.Flow) error) error {
	switch {
	case s.refused:
		return ctnetlink.EINVAL
	case s.none:
		return nil
	}
	for f, err := range c.Dump(&s.DumpRequest) {
		if err != nil {
			return err
		}
		zone, _ := f.Zone()
		if s.noZone && zone|f.Orig().Zone|f.Reply().Zone != 0 {
			continue
		}
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
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
