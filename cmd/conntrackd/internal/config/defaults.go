package config

import (
	"time"
)

// The defaults of conntrack-tools.
const (
	defaultResendQueue   = 131072
	defaultACKWindow     = 300
	defaultPurgeTimeout  = 60 * time.Second
	defaultRefreshTime   = 60 * time.Second
	defaultCacheTimeout  = 180 * time.Second
	defaultHashSize      = 65536
	defaultHashLimit     = 262144
	defaultOverrunResync = 30 * time.Second
	defaultIterations    = 100
	defaultErrorQueue    = 128

	// DefaultPath is the configuration file that is read without -C.
	DefaultPath     = "/etc/conntrackd/conntrackd.conf"
	defaultLock     = "/var/lock/conntrackd.lock"
	defaultLog      = "/var/log/conntrackd.log"
	defaultStatsLog = "/var/log/conntrackd-stats.log"

	facilityDaemon = 3 << 3  // LOG_DAEMON
	facilityLocal0 = 16 << 3 // LOG_LOCAL0
)

// defaults returns what holds for an empty file.
func defaults() *Config {
	return &Config{
		OverrunResync: defaultOverrunResync,
		Facility:      facilityDaemon,
		StatsFacility: facilityDaemon,
		LockFile:      defaultLock,
		Extensions:    true,
		Systemd:       true,
		lines:         make(map[string]int),
	}
}

// set sets *v to the default if it is 0.
func set[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// finish judges the whole and fills the defaults in of what was not told, or told as 0.
func (p *parser) finish() bool {
	c := p.config
	switch {
	case !p.sync:
		c.Mode = Stats
	case p.modes[FTFW] || len(p.modes) == 0:
		c.Mode = FTFW
	case p.modes[Alarm]:
		c.Mode = Alarm
	default:
		c.Mode = NoTrack
	}
	set(&c.ResendQueueSize, defaultResendQueue)
	set(&c.ACKWindowSize, defaultACKWindow)
	set(&c.PurgeTimeout, defaultPurgeTimeout)
	set(&c.RefreshTime, defaultRefreshTime)
	set(&c.CacheTimeout, defaultCacheTimeout)
	set(&c.HashSize, defaultHashSize)
	set(&c.HashLimit, defaultHashLimit)
	set(&c.EventIterationLimit, defaultIterations)
	set(&c.ErrorQueueLength, defaultErrorQueue)
	c.modes, c.hasMode = len(p.modes), p.sync || p.stats
	if c.CommitTimeout > 0 && c.DisableExternalCache {
		p.warn(c.lines["CommitTimeout"], "`CommitTimeout' can't be combined with `DisableExternalCache', "+
			"ignoring this option. Fix your configuration file.")
		c.CommitTimeout = 0
	}
	if l := c.Filter.Addresses; l != nil {
		for i, a := range l.Items {
			l.Items[i] = a.Masked()
		}
	}
	for i := range c.Links {
		c.Links[i].Default = i == p.defaultLink
	}
	if c.Encrypt && c.KeyFile == "" {
		return p.fatal(c.lines["Encrypt"], "`Encrypt' needs a `KeyFile'")
	}
	return true
}
