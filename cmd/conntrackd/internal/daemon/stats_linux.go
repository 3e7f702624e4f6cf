package daemon

import (
	"log/syslog"
	"os"
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
}

func newStatistics(c *config.Config, log *logger) (*statistics, error) {
	out, err := openStatsLog(c)
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
	case wire.Delete:
		if at != 0 {
			s.cache.Delete(at)
		}
	}
}

// ended logs an entry that is destroyed.
func (s *statistics) ended(f *ctnetlink.Flow) {
	s.line = s.printer.AppendFlow(s.line[:0], f, nil)
	s.out.write(s.line)
}

func (s *statistics) clear() { s.cache.Clear() }

// statsLog is the log of the statistics mode: a file, syslog, both or none. Lines are
// written by a goroutine, so that events do not wait for a disk.
type statsLog struct {
	file   *os.File
	syslog *syslog.Writer
}

func openStatsLog(c *config.Config) (*statsLog, error) {
	l := &statsLog{}
	if c.StatsLogFile != "" {
		var err error
		if l.file, err = openLog(c.StatsLogFile); err != nil {
			return nil, err
		}
	}
	if c.StatsSyslog {
		l.syslog = openSyslog(c.StatsFacility, syslog.LOG_INFO)
	}
	return l, nil
}

// write writes the line of an entry: the time, a TAB, the entry. Syslog has its own time.
func (l *statsLog) write(entry []byte) {
	if l.file != nil {
		b := append(stamp(make([]byte, 0, len(entry)+32), time.Now()), '\t')
		l.file.Write(append(b, entry...))
	}
	if l.syslog != nil {
		l.syslog.Info(string(entry[:len(entry)-1]))
	}
}
