package daemon

import (
	"bytes"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// statistics is the statistics mode: a cache of the kernel's table, and a log of the
// entries that end. The main lock protects it.
type statistics struct {
	cache   *cache.Cache
	begun   time.Time
	printer *format.Printer
	out     *statsLog
	line    []byte
	refresh uint16 // counts the dumps
}

func newStatistics(c *config.Config, log *logger) (*statistics, error) {
	out, err := newStatsLog(c, log)
	if err != nil {
		return nil, err
	}
	return &statistics{
		cache: cache.New(c.HashLimit), begun: time.Now(), out: out,
		printer: format.NewPrinter(format.Options{Style: format.StyleClassic}),
	}, nil
}

// clock returns the seconds of the cache's clock.
func (s *statistics) clock() uint32 { return uint32(time.Since(s.begun)/time.Second) + 1 }

// event takes a change of the kernel's table.
func (s *statistics) event(t wire.Type, o wire.Object) {
	k := o.Key()
	at := s.cache.Find(&k)
	switch t {
	case wire.New, wire.Update:
		if at == 0 {
			if at = s.cache.Add(o); at == 0 {
				return
			}
			s.cache.Meta(at).Created = s.clock()
		} else {
			s.cache.Set(at, o)
		}
		s.cache.Meta(at).Told = s.clock()
		s.cache.Meta(at).Generation = s.refresh
	case wire.Delete:
		if at != 0 {
			s.cache.Delete(at)
		}
	}
}

// ended logs an entry that is destroyed.
func (s *statistics) ended(f *ctnetlink.Flow) {
	s.line = s.printer.AppendFlow(s.line[:0], f, nil)
	s.out.write(withoutTimeout(s.line))
}

// withoutTimeout removes the third field of the line of an entry, if it is a number: the
// time that it had left.
func withoutTimeout(line []byte) []byte {
	at := 0
	for range 2 { // the protocol's name and number
		at += len(line[at:]) - len(bytes.TrimLeft(line[at:], " "))
		i := bytes.IndexByte(line[at:], ' ')
		if i < 0 {
			return line
		}
		at += i
	}
	rest := line[at+1:]
	number, after, ok := bytes.Cut(rest, []byte{' '})
	if !ok || len(bytes.Trim(number, "0123456789")) > 0 {
		return line
	}
	return append(line[:at+1], after...)
}

// beginRefresh begins a dump of the kernel's table. What it does not tell is gone, which
// endRefresh logs, without the counters that nobody knows, if the dump was whole.
func (s *statistics) beginRefresh() { s.refresh++ }

func (s *statistics) endRefresh(whole bool) {
	if !whole {
		return
	}
	for at, begun := cache.Slot(0), false; !begun || at != 0; begun = true {
		at = s.cache.Walk(at, 1<<16, func(slot cache.Slot) {
			if s.cache.Meta(slot).Generation == s.refresh {
				return
			}
			s.lost(s.cache.Object(slot))
			s.cache.Delete(slot)
		})
	}
}

// lost logs an entry whose end was not seen.
func (s *statistics) lost(o wire.Object) {
	if line, ok := s.plain(o); ok {
		s.out.write(withoutTimeout(line))
	}
}

// plain returns the line of an object.
func (s *statistics) plain(o wire.Object) ([]byte, bool) {
	var spec ctnetlink.FlowSpec
	var f ctnetlink.Flow
	if o.Spec(&spec) != nil || f.Decode(spec.AppendMessage(nil)) != nil {
		return nil, false
	}
	s.line = s.printer.AppendFlow(s.line[:0], &f, nil)
	return s.line, true
}

func (s *statistics) clear() { s.cache.Clear() }
