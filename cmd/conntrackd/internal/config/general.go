package config

import (
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// The sections General and Stats.

// maxPath is the greatest length of the path of a log or lock file, maxSocket of a socket.
const (
	maxPath   = 256
	maxSocket = 107
)

var bufferSize = count(func(c *Config, n int) { c.NetlinkBuffer = n })
var bufferGrowth = count(func(c *Config, n int) { c.NetlinkBufferMax = n })

var generalClauses = clauses{
	"HashSize":  count(func(c *Config, n int) { c.HashSize = n }),
	"HashLimit": count(func(c *Config, n int) { c.HashLimit = n }),
	"LogFile": func(p *parser, _ token) bool {
		return p.logFile(&p.config.LogFile, defaultLog, "LogFile path")
	},
	"Syslog": func(p *parser, _ token) bool {
		return p.facility(&p.config.Syslog, &p.config.Facility, &p.generalFacility, "")
	},
	"LockFile": func(p *parser, _ token) bool { return p.path(&p.config.LockFile, maxPath, "LockFile path") },
	"UNIX":     func(p *parser, _ token) bool { return p.block(unixClauses) },

	"NetlinkBufferSize":          bufferSize,
	"SocketBufferSize":           bufferSize,
	"NetlinkBufferSizeMaxGrowth": bufferGrowth,
	"NetlinkBufferSizeMaxGrown":  bufferGrowth,
	"SocketBufferSizeMaxGrowth":  bufferGrowth,
	"SocketBufferSizeMaxGrown":   bufferGrowth,
	"NetlinkOverrunResync":       (*parser).overrunResync,
	"NetlinkEventsReliable":      flag(func(c *Config, on bool) { c.EventsReliable = on }),
	"PollSecs": func(p *parser, t token) bool {
		n, ok := p.number()
		if ok && n == 0 {
			return p.fatal(t.line, "`PollSecs' clause must be > 0")
		}
		p.config.Poll = time.Duration(n) * time.Second
		return ok
	},
	"EventIterationLimit": count(func(c *Config, n int) { c.EventIterationLimit = n }),
	"Filter":              (*parser).filter,
	"Scheduler":           func(p *parser, _ token) bool { return p.block(schedulerClauses) },
	"Nice": func(p *parser, t token) bool {
		_, ok := p.expect(signed)
		if ok {
			p.warn(t.line, "deprecated nice configuration, ignoring. "+
				"The nice value can be set externally with nice(1) and renice(1).")
		}
		return ok
	},
	"Systemd": flag(func(c *Config, on bool) { c.Systemd = on }),
	"Metrics": (*parser).metrics,
}

var statsClauses = clauses{
	"LogFile": func(p *parser, _ token) bool {
		return p.logFile(&p.config.StatsLogFile, defaultStatsLog, "stats LogFile path")
	},
	"Syslog": func(p *parser, _ token) bool {
		return p.facility(&p.config.StatsSyslog, &p.config.StatsFacility, &p.statsFacility, ".")
	},
}

var unixClauses = clauses{
	"Path": func(p *parser, _ token) bool { return p.path(&p.config.Socket, maxSocket, "Path") },
	"Backlog": func(p *parser, t token) bool {
		_, ok := p.number()
		if ok {
			p.warn(t.line, "deprecated unix backlog configuration, ignoring.")
		}
		return ok
	},
}

var schedulerClauses = clauses{
	"Type": func(p *parser, t token) bool {
		w, ok := p.expect(word)
		if !ok {
			return false
		}
		switch strings.ToLower(w.text) {
		case "rr":
			p.scheduler().FIFO = false
		case "fifo":
			p.scheduler().FIFO = true
		default:
			return p.fatal(w.line, "unknown scheduler `%s'", w.text)
		}
		return true
	},
	"Priority": func(p *parser, t token) bool {
		n, ok := p.number()
		if !ok {
			return false
		}
		if n > maxPriority {
			return p.fatal(t.line, "`Priority' must be [0, %d]\n", maxPriority)
		}
		p.scheduler().Priority = n
		return true
	},
}

// maxPriority is the greatest priority of a real-time scheduler (sched(7)).
const maxPriority = 99

// scheduler returns the scheduler to set the values of.
func (p *parser) scheduler() *Scheduler {
	if p.config.Scheduler == nil {
		p.config.Scheduler = &Scheduler{}
	}
	return p.config.Scheduler
}

// path takes a path of at most length bytes.
func (p *parser) path(to *string, length int, name string) bool {
	t, ok := p.expect(path)
	if !ok {
		return false
	}
	if len(t.text) > length {
		return p.fatal(t.line, "%s is longer than %d characters", name, length)
	}
	*to = t.text
	return true
}

// logFile takes on, off or a path.
func (p *parser) logFile(to *string, standard, name string) bool {
	if p.peek().kind != boolean {
		return p.path(to, maxPath, name)
	}
	*to = ""
	if p.take().on() {
		*to = standard
	}
	return true
}

// facility takes on, off or a facility of syslog.
func (p *parser) facility(on *bool, facility *int, told *bool, full string) bool {
	t := p.peek()
	switch t.kind {
	case boolean:
		*on = p.take().on()
		return true
	case word:
	default:
		return p.syntax()
	}
	p.take()
	n, found := strings.CutPrefix(t.text, "local")
	switch {
	case t.text == "daemon":
		*facility = facilityDaemon
	case found && len(n) == 1 && '0' <= n[0] && n[0] <= '7':
		*facility = facilityLocal0 + int(n[0]-'0')<<3
	default:
		p.warn(t.line, "'%s' is not a known syslog facility, ignoring%s", t.text, full)
		return true
	}
	*on, *told = true, true
	if p.generalFacility && p.statsFacility && p.config.Facility != p.config.StatsFacility {
		p.warn(t.line, "conflicting Syslog facility values, defaulting to General")
		p.config.StatsFacility = p.config.Facility
	}
	return true
}

// overrunResync takes on, off or seconds.
func (p *parser) overrunResync(token) bool {
	c := p.config
	if p.peek().kind == boolean {
		c.OverrunResync = 0
		if p.take().on() {
			c.OverrunResync = defaultOverrunResync
		}
		return true
	}
	n, ok := p.number()
	c.OverrunResync = time.Duration(n) * time.Second
	if n == 0 {
		c.OverrunResync = defaultOverrunResync
	}
	return ok
}

// metrics takes a path, or an address and port.
func (p *parser) metrics(t token) bool {
	w := p.raw()
	if !validMetrics(w.text) {
		return p.fatal(w.line, "`Metrics' needs a path or ADDRESS:PORT, not `%s'", printable.String(w.text))
	}
	p.config.MetricsOn = w.text
	return true
}
