package config

import (
	"strings"
	"time"
)

// The section Sync.

// seconds returns a clause whose value is in seconds.
func seconds(set func(*Config, time.Duration)) func(*parser, token) bool {
	return count(func(c *Config, n int) { set(c, time.Duration(n)*time.Second) })
}

// The clauses of several modes.
var (
	commitTimeout = seconds(func(c *Config, d time.Duration) { c.CommitTimeout = d })
	purgeTimeout  = seconds(func(c *Config, d time.Duration) { c.PurgeTimeout = d })
	refreshTime   = seconds(func(c *Config, d time.Duration) { c.RefreshTime = d })
	cacheTimeout  = seconds(func(c *Config, d time.Duration) { c.CacheTimeout = d })
	noExternal    = flag(func(c *Config, on bool) { c.DisableExternalCache = on })
	startupResync = flag(func(c *Config, on bool) { c.StartupResync = on })
)

var syncClauses = clauses{
	"Mode":          (*parser).mode,
	"CommitTimeout": commitTimeout,
	"PurgeTimeout":  purgeTimeout,
	"RefreshTime":   refreshTime,
	"CacheTimeout":  cacheTimeout,
	"Multicast":     func(p *parser, t token) bool { return p.link(Multicast, t) },
	"UDP":           func(p *parser, t token) bool { return p.link(UDP, t) },
	"TCP":           func(p *parser, t token) bool { return p.link(TCP, t) },
	"Options":       func(p *parser, _ token) bool { return p.block(optionClauses) },
	"KeyFile": func(p *parser, _ token) bool {
		t, ok := p.expect(path)
		p.config.KeyFile = t.text
		return ok
	},
	"Encrypt":    flag(func(c *Config, on bool) { c.Encrypt = on }),
	"Extensions": flag(func(c *Config, on bool) { c.Extensions = on }),
}

// modeClauses are the clauses of each mode.
var modeClauses = map[Mode]clauses{
	FTFW: {
		"ResendQueueSize":      count(func(c *Config, n int) { c.ResendQueueSize = n }),
		"ACKWindowSize":        count(func(c *Config, n int) { c.ACKWindowSize = n }),
		"CommitTimeout":        commitTimeout,
		"PurgeTimeout":         purgeTimeout,
		"DisableExternalCache": noExternal,
		"StartupResync":        startupResync,
	},
	NoTrack: {
		"CommitTimeout":        commitTimeout,
		"PurgeTimeout":         purgeTimeout,
		"DisableExternalCache": noExternal,
		"DisableInternalCache": flag(func(c *Config, on bool) { c.DisableInternalCache = on }),
		"StartupResync":        startupResync,
	},
	Alarm: {
		"CommitTimeout": commitTimeout,
		"PurgeTimeout":  purgeTimeout,
		"RefreshTime":   refreshTime,
		"CacheTimeout":  cacheTimeout,
	},
}

// mode reads Mode NAME { … }.
func (p *parser) mode(token) bool {
	t := p.peek()
	var m Mode
	switch strings.ToLower(t.text) {
	case "ftfw", "nack":
		m = FTFW
	case "notrack":
		m = NoTrack
	case "alarm":
		m = Alarm
	}
	if m == Stats || t.kind != keyword {
		return p.syntax()
	}
	p.take()
	if !p.block(modeClauses[m]) {
		return false
	}
	p.modes[m] = true
	return true
}

var optionClauses = clauses{
	"TCPWindowTracking": flag(func(c *Config, on bool) { c.TCPWindowTracking = on }),
	"ExpectationSync":   (*parser).expectationSync,
}

// expectationSync reads on, off or { names of helpers }.
func (p *parser) expectationSync(token) bool {
	c := p.config
	if p.peek().kind == boolean {
		c.Expect = p.take().on()
		return true
	}
	if !p.brace() {
		return false
	}
	c.Expect = true
	for !p.accept("}") {
		t, ok := p.expect(word)
		if !ok {
			return false
		}
		c.ExpectHelpers = append(c.ExpectHelpers, t.text)
	}
	return true
}
