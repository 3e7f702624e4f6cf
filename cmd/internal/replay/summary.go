package replay

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/format"
)

// counted is a line of the summary.
type counted struct {
	kind, name string
	n          int
	level      int // indentation
}

// summary shows the counts: packets by verdict and reason, what became of them,
// and the entries at the end by protocol.
func (r *run) summary() error {
	lines, err := r.summaryLines()
	if err != nil {
		return err
	}
	if style := r.options.request.Output.Style; format.IsRecordStyle(style) {
		records := format.NewRecords(style, true)
		for _, l := range lines {
			r.Out.Buf = records.Append(r.Out.Buf, []format.Value{
				format.Text("kind", l.kind), format.Text("name", l.name), format.Number("count", uint64(l.n)),
			})
		}
		r.Out.Buf = records.AppendEnd(r.Out.Buf)
		return r.Out.Flush()
	}
	width := 0
	for _, l := range lines {
		width = max(width, 2*l.level+len(l.name))
	}
	for _, l := range lines {
		b := r.Out.Buf
		for range 2 * l.level {
			b = append(b, ' ')
		}
		b = append(b, l.name...)
		n := strconv.Itoa(l.n)
		for range width + 11 - 2*l.level - len(l.name) - len(n) {
			b = append(b, ' ')
		}
		r.Out.Buf = append(append(b, n...), '\n')
	}
	return r.Out.Flush()
}

func (r *run) summaryLines() ([]counted, error) {
	c := &r.count
	if r.packets != nil {
		c = &r.packets.count // of the packets that the filters select
	}
	list := []counted{{"packets", "packets", c.records, 0}}
	add := func(kind, name string, n, level int) {
		if n > 0 {
			list = append(list, counted{kind, name, n, level})
		}
	}
	for s := engine.StateNew; s <= engine.StateUnknown; s++ {
		add("verdict", s.String(), c.verdicts[s], 1)
		if s == engine.StateInvalid {
			for _, code := range ranked(c.reasons) {
				add("invalid", code.Name(), c.reasons[code], 2)
			}
		}
	}
	add("verdict", "DROPPED", c.dropped, 1)
	add("verdict", "NONE", c.notIP+c.verdicts[engine.StateNone]-c.dropped, 1)
	for i, code := range ranked(c.passed) {
		if i == 0 {
			list = append(list, counted{"ignored", "accepted without an effect", sum(c.passed), 0})
		}
		add("ignored", code.Name(), c.passed[code], 1)
	}
	add("leaves", "translated", c.fates[engine.Translated], 0)
	add("leaves", "dropped", c.fates[engine.Dropped], 0)
	for _, code := range ranked(c.drops) {
		add("dropped", code.Name(), c.drops[code], 1)
	}
	protocols, err := r.protocols()
	if err != nil {
		return nil, err
	}
	all := 0
	for _, p := range protocols {
		all += p.n
	}
	list = append(list, counted{"entries", "entries at the end", all, 0})
	return append(list, protocols...), nil
}

func sum(m map[engine.ReasonCode]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// protocols counts the entries that match by their protocol.
func (r *run) protocols() ([]counted, error) {
	numbers, err := r.entriesOf()
	if err != nil {
		return nil, err
	}
	var list []counted
	for i, n := range numbers {
		if n == 0 {
			continue
		}
		name := ctnetlink.Protocol(i).Name()
		if name == "" {
			name = "protocol " + strconv.Itoa(i)
		}
		list = append(list, counted{"proto", name, n, 1})
	}
	slices.SortStableFunc(list, func(a, b counted) int { return cmp.Compare(b.n, a.n) })
	return list, nil
}

// entriesOf returns the number of entries that match of each protocol.
func (r *run) entriesOf() (numbers [256]int, err error) {
	match := r.options.request.Filter()
	if reflect.ValueOf(*match).IsZero() {
		return r.table.Protocols(), nil
	}
	match.Now = r.now
	for f, err := range r.tableOf().Conn.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			return numbers, err
		}
		if match.Match(f) {
			numbers[f.Orig().Proto]++
		}
	}
	return numbers, nil
}
