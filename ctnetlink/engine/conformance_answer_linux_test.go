package engine_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// answer is a message that a table sent: an answer or an event.
type answer struct {
	typ, flags      uint16
	seq, pid        uint32
	family, version uint8
	res             uint16
	body            []byte // attributes; for ERROR and DONE, everything after nlmsghdr
}

func newAnswer(b []byte) answer {
	a := answer{
		typ: binary.NativeEndian.Uint16(b[4:]), flags: binary.NativeEndian.Uint16(b[6:]),
		seq: binary.NativeEndian.Uint32(b[8:]), pid: binary.NativeEndian.Uint32(b[12:]),
	}
	b = bytes.Clone(b[16:])
	if a.typ >= 16 && len(b) >= 4 {
		a.family, a.version, a.res, b = b[0], b[1], binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	a.body = b
	return a
}

// String describes the answer.
func (a answer) String() string {
	switch {
	case a.typ == nlmsgError && len(a.body) >= 4:
		n := int32(binary.NativeEndian.Uint32(a.body))
		if n == 0 {
			return fmt.Sprintf("#%d acknowledged", a.seq&0xff)
		}
		return fmt.Sprintf("#%d error %d (%v)", a.seq&0xff, n, ctnetlink.Errno(-n))
	case a.typ < 16:
		return fmt.Sprintf("#%d %s [%x]", a.seq&0xff, messageName(a.typ), a.body)
	}
	return fmt.Sprintf("#%d %s flags %#x from %d family %d version %d res %d: %s",
		a.seq&0xff, messageName(a.typ), a.flags, a.pid, a.family, a.version, a.res, schemaOf(a.typ).show(a.body))
}

func (a answer) entry() bool   { return a.typ == ctNew || a.typ == ctDelete }
func (a answer) expects() bool { return a.typ>>8 == 2 }

// id returns the attribute that identifies an entry or expectation, nil if
// there is none.
func (a answer) id() []byte {
	var id []byte
	switch {
	case a.entry():
		id = find(a.body, ctaID)
	case a.expects():
		id = find(a.body, ctaExpID)
	}
	if len(id) != 4 {
		return nil
	}
	return id
}

// idKey returns the key under which a side remembers the id, and under which
// the node of a request looks it up.
func (a answer) idKey() string {
	if a.expects() {
		return "expect " + string(find(a.body, ctaExpTuple))
	}
	return "entry " + string(find(a.body, ctaTupleOrig)) + string(find(a.body, ctaZone))
}

// sortKey returns a key for sorting messages that come in the table's own
// order. It is the same on both sides, and different for all that can be in one
// table at a time.
func (a answer) sortKey() []byte {
	types := []uint16{ctaTupleOrig, ctaZone}
	if a.expects() {
		// The zone is not sent: equal expectations in two zones differ in the
		// rest, if at all.
		types = []uint16{ctaExpTuple, ctaExpMask, ctaExpMaster, ctaExpHelpName, ctaExpClass, ctaExpFlags, ctaExpFn, ctaExpNAT}
	}
	key := []byte{byte(a.typ >> 8), byte(a.typ)}
	for _, t := range types {
		v := find(a.body, t)
		key = append(append(key, byte(len(v))), v...)
	}
	if left := find(a.body, ctaExpTimeout); a.expects() && len(left) == 4 {
		key = append(key, byte((binary.BigEndian.Uint32(left)+9)/20)) // rounded
	}
	return key
}

func sortAnswers(a []answer) {
	slices.SortStableFunc(a, func(x, y answer) int { return bytes.Compare(x.sortKey(), y.sortKey()) })
}

// sortRuns sorts each longest run of answers for which in holds.
func sortRuns(a []answer, in func(answer) bool) {
	for i := 0; i < len(a); {
		j := i
		for j < len(a) && in(a[j]) {
			j++
		}
		sortAnswers(a[i:j])
		i = max(j, i+1)
	}
}

// arrange brings the messages of a step into a form that can be compared: it
// replaces port ids by socket numbers, sorts dumps, and adds up the counters of
// all CPUs.
func (s *side) arrange(got []answer, st *step, events bool) []answer {
	got = s.addCPUs(got)
	for i := range got {
		if n, ok := s.pids[got[i].pid]; ok {
			got[i].pid = n
		}
		// The header that an error repeats has no port id, since requests are
		// sent with 0.
	}
	if !events {
		sortRuns(got, func(a answer) bool { return a.flags&flagMulti != 0 && a.typ >= 16 })
	}
	if st.flushes() {
		sortRuns(got, destroys)
	}
	return got
}

// ended reports whether the message is about something that was removed, but
// not by a request.
func (a answer) ended() bool { return destroys(a) && a.pid == 0 }

// split separates the messages for which f holds from the others.
func split(all []answer, f func(answer) bool) (others, those []answer) {
	for _, a := range all {
		if f(a) {
			those = append(those, a)
		} else {
			others = append(others, a)
		}
	}
	return others, those
}

// destroys reports whether the message is about something that was removed.
func destroys(a answer) bool { return a.typ == ctDelete || a.typ == expDelete }

// addCPUs replaces each run of messages with a CPU's counters by one message
// with the sums since the sequence began.
func (s *side) addCPUs(got []answer) (out []answer) {
	for _, a := range got {
		if a.typ != ctGetStatsCPU && a.typ != expStatsAnswer {
			out = append(out, a)
			continue
		}
		last := len(out) - 1
		if last < 0 || out[last].typ != a.typ || out[last].seq != a.seq {
			a.res = 0
			a.body = encodeCounters(addUp(nil, a.body), s.before[a.typ])
			out = append(out, a)
			continue
		}
		out[last].body = encodeCounters(addUp(addUp(nil, out[last].body), a.body), nil)
	}
	return out
}

// addUp adds counters in attributes to sums.
func addUp(sums map[uint16]uint32, b []byte) map[uint16]uint32 {
	sums = maps.Clone(sums)
	if sums == nil {
		sums = map[uint16]uint32{}
	}
	for len(b) > 0 {
		typ, val, rest, ok := attribute(b)
		if !ok || len(val) != 4 {
			break
		}
		sums[typ] += binary.BigEndian.Uint32(val)
		b = rest
	}
	return sums
}

func encodeCounters(sums, less map[uint16]uint32) (b []byte) {
	for _, typ := range slices.Sorted(maps.Keys(sums)) {
		b = be32(typ, sums[typ]-less[typ]).append(b, nil)
	}
	return b
}

// leeway is how much two tables may differ at some point.
type leeway struct {
	sweeps  bool   // expired entries are being removed
	seconds uint32 // between their timeouts
	found   bool   // ports were searched for in small ranges, starting at a random one
	chosen  bool   // both tables were given the same random numbers
}

// difference describes how two answers differ; "" if they agree.
func difference(l leeway, a, b answer) string {
	for _, f := range []struct {
		name string
		a, b any
	}{
		{"type", a.typ, b.typ}, {"flags", a.flags, b.flags}, {"seq", a.seq, b.seq}, {"port id", a.pid, b.pid},
		{"family", a.family, b.family}, {"version", a.version, b.version}, {"res_id", a.res, b.res},
	} {
		if f.a != f.b {
			return fmt.Sprintf("%s: %v, %v", f.name, f.a, f.b)
		}
	}
	if bytes.Equal(a.body, b.body) {
		return ""
	}
	if a.typ < 16 {
		return fmt.Sprintf("payload: %x, %x", a.body, b.body)
	}
	d := comparison{natted: natted(a) && natted(b), stats: a.typ == ctGetStatsCPU, leeway: l}
	return d.attrs(schemaOf(a.typ), a.body, b.body, "")
}

func natted(a answer) bool {
	status := find(a.body, ctaStatus)
	return a.entry() && len(status) == 4 && binary.BigEndian.Uint32(status)&statusNATDone != 0
}

// comparison compares two messages attribute by attribute.
type comparison struct {
	natted bool // both are translated entries, whose ports may be random
	stats  bool
	leeway
	reply bool // inside the reply tuple
}

func (c comparison) attrs(s schema, a, b []byte, path string) string {
	for len(a) > 0 || len(b) > 0 {
		ta, va, ra, oka := attribute(a)
		tb, vb, rb, okb := attribute(b)
		name := path + "/" + s.name(ta)
		switch {
		case !oka && !okb:
			return fmt.Sprintf("%s: rubbish %x, %x", path, a, b)
		case !oka || oka && okb && ta != tb:
			return fmt.Sprintf("%s: the first has %s, the second %s", path, s.name(ta), s.name(tb))
		case !okb:
			return name + ": only in the first"
		}
		f := s[ta&^(3<<14)]
		inner := c
		inner.reply = c.reply || path == "" && ta&^(3<<14) == ctaTupleReply
		switch {
		case bytes.Equal(va, vb):
		case f.kids != nil:
			if d := inner.attrs(f.kids, va, vb, name); d != "" {
				return d
			}
		case len(va) != len(vb):
			return fmt.Sprintf("%s: %d bytes, %d", name, len(va), len(vb))
		case !c.tolerates(f, ta, va, vb):
			show := f.show
			if show == nil {
				show = hex
			}
			return fmt.Sprintf("%s: %s, %s", name, show(va), show(vb))
		}
		a, b = ra, rb
	}
	return ""
}

// tolerates reports whether two values of the same length may differ.
func (c comparison) tolerates(f field, typ uint16, a, b []byte) bool {
	switch {
	case f.aside == ident:
		return true
	case f.aside == seconds && len(a) == 4:
		x, y := binary.BigEndian.Uint32(a), binary.BigEndian.Uint32(b)
		return max(x, y)-min(x, y) <= c.leeway.seconds
	case f.aside == moment && len(a) == 8:
		zero := make([]byte, 8)
		return !bytes.Equal(a, zero) && !bytes.Equal(b, zero)
	case f.aside == port && c.reply && c.natted && !c.leeway.chosen && len(a) == 2:
		// The destination is not random, and an ICMP id may be any number.
		same := typ == 3 && rangeOf(binary.BigEndian.Uint16(a)) == rangeOf(binary.BigEndian.Uint16(b)) || typ > 3
		if same {
			randomPort.count()
		}
		return same
	case f.aside == use && c.leeway.sweeps:
		sweptUse.count()
		return true
	case c.stats && typ == found && c.leeway.found:
		randomFound.count()
		return true
	case c.stats && typ == searchRestarts:
		return true
	}
	return false
}

// found is CTA_STATS_FOUND: taken tuples that NAT found.
const found = 2

// searchRestarts is CTA_STATS_SEARCH_RESTART: lookups that were disturbed by a
// change of their bucket on another CPU.
const searchRestarts = 13

func (s schema) name(typ uint16) string {
	if f, ok := s[typ&^(3<<14)]; ok && f.name != "" {
		return f.name
	}
	return fmt.Sprint("#", typ&^(3<<14))
}

// differences compares two lists of answers and returns the first difference.
func differences(l leeway, what string, a, b []answer) string {
	for i := range max(len(a), len(b)) {
		if i >= min(len(a), len(b)) {
			return fmt.Sprintf("%s: %d messages, %d", what, len(a), len(b))
		}
		if d := difference(l, a[i], b[i]); d != "" {
			return fmt.Sprintf("%s, message %d: %s", what, i, cmp.Or(d, "?"))
		}
	}
	return ""
}
