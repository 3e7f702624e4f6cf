package daemon

import (
	"log/syslog"
	"os"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// statsQueue is how many lines wait for a slow disk before lines are dropped.
const statsQueue = 1 << 16

// statsLog is the log of the statistics mode: a file, syslog, both or none. Lines are
// written by a goroutine, so that events do not wait for a disk.
type statsLog struct {
	log   *logger // for what there is to say of the log
	lines chan []byte
	done  chan struct{}

	mu      sync.Mutex
	file    *os.File
	syslog  *syslog.Writer
	dropped uint64
}

func newStatsLog(c *config.Config, log *logger) (*statsLog, error) {
	l := &statsLog{log: log, lines: make(chan []byte, statsQueue), done: make(chan struct{})}
	if err := l.open(c); err != nil {
		return nil, err
	}
	go l.run()
	return l, nil
}

// open opens the file and syslog, again if they were open.
func (l *statsLog) open(c *config.Config) (err error) {
	var file *os.File
	if c.StatsLogFile != "" {
		if file, err = openLog(c.StatsLogFile); err != nil {
			return err
		}
	}
	var s *syslog.Writer
	if c.StatsSyslog {
		// One process has one facility with conntrack-tools: General's, if it logs there.
		facility := c.StatsFacility
		if c.Syslog {
			facility = c.Facility
		}
		s = openSyslog(facility, syslog.LOG_INFO)
	}
	l.mu.Lock()
	before, connection := l.file, l.syslog
	l.file, l.syslog = file, s
	l.mu.Unlock()
	closeReplaced(before, connection)
	return nil
}

// write takes the line of an entry with its newline: the time, a TAB, the entry. It
// does not wait, but drops lines that nobody takes.
func (l *statsLog) write(entry []byte) {
	b := append(stamp(make([]byte, 0, len(entry)+25), time.Now()), '\t')
	select {
	case l.lines <- append(b, entry...):
	default:
		l.dropped++
		if l.dropped&(l.dropped-1) == 0 {
			l.log.warning("%d entries were not logged: the log is too slow", l.dropped)
		}
	}
}

// stampLen is the length of the time and the TAB, which syslog does not get.
const stampLen = len(time.ANSIC) + 1

func (l *statsLog) run() {
	defer close(l.done)
	for b := range l.lines {
		// The lock is not held while it waits for the disk: open does not wait.
		l.mu.Lock()
		file, log := l.file, l.syslog
		l.mu.Unlock()
		if file != nil {
			file.Write(b)
		}
		if log != nil && len(b) > stampLen {
			log.Info(string(b[stampLen : len(b)-1]))
		}
	}
}

// close writes what waits. Nothing may be written any more.
func (l *statsLog) close() {
	close(l.lines)
	select {
	case <-l.done:
	case <-time.After(5 * time.Second): // a disk or a syslog that hangs
	}
}
