package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What differs from conntrack-tools.
func TestOwn(t *testing.T) {
	for _, c := range []struct {
		file string
		get  func(*Config) any
		want string // of get
		say  string
	}{
		{"Sync { KeyFile /k\nEncrypt on\nExtensions off }",
			func(c *Config) any { return []any{c.KeyFile, c.Encrypt, c.Extensions} }, "[/k true false]", ""},
		{"Sync { }\nSync {\nEncrypt on }", nil, "", "[ERROR] `Encrypt' needs a `KeyFile'\n"},
		{"General { Metrics /run/m.sock }", func(c *Config) any { return c.MetricsOn }, "/run/m.sock", ""},
		{"General { Metrics [::1]:9100}", func(c *Config) any { return c.MetricsOn }, "[::1]:9100", ""},
		{"General { Metrics 127.0.0.1:9100#}\n}", func(c *Config) any { return c.MetricsOn }, "127.0.0.1:9100", ""},
		{"General { Metrics 9100 }", nil, "", "[ERROR] `Metrics' needs a path or ADDRESS:PORT, not `9100'\n"},
		{"General { Metrics }", nil, "", "[ERROR] `Metrics' needs a path or ADDRESS:PORT, not `'\n"},
		{"General { Metrics 1.2.3.4:\033 }", nil, "",
			"[ERROR] `Metrics' needs a path or ADDRESS:PORT, not `1.2.3.4:\\x1b'\n"},
		{"Sync { Options { ExpectationSync { Metrics } } }", func(c *Config) any { return c.ExpectHelpers },
			"[Metrics]", ""},
		// No such helper need be known, and none is made.
		{"Helper { Setup yes Type nosuch inet tcp { QueueNum 1 QueueLen 2 Policy a_b { ExpectMax 3 ExpectTimeout 4 } } }",
			func(c *Config) any { return c.Helpers }, "true", ""},
		{"Helper { Setup no }", func(c *Config) any { return c.Helpers }, "false", ""},
		// A comment may be the end of a file.
		{"General { HashSize 5 } # end", func(c *Config) any { return c.HashSize }, "5", ""},
		// A path ends before the carriage return.
		{"General { LockFile /lock\r\n}", func(c *Config) any { return c.LockFile }, "/lock", ""},
		{"General { HashLimit 99999999999 }", func(c *Config) any { return c.HashLimit }, "2147483647",
			"[warning] the number 99999999999 is too large, using 2147483647\n"},
		// The order of addresses and interfaces means nothing.
		{"Sync { Multicast { Interface lo IPv6_address ff02::1 } }",
			func(c *Config) any { return c.Links[0].Remote }, "ff02::1", ""},
	} {
		conf, _ := Parse([]byte(c.file))
		got := ""
		if conf != nil && c.get != nil {
			got = fmt.Sprint(c.get(conf))
		}
		if got != c.want || (conf == nil) != (c.get == nil) || said(c.file) != c.say {
			t.Errorf("%s: %q, %q; want %q, %q", c.file, got, said(c.file), c.want, c.say)
		}
	}
}

// Values of clauses that TestParse does not have.
func TestValues(t *testing.T) {
	for name, c := range map[string]struct{ got, want any }{
		"the default link": {value("Sync { UDP { Port 1 } UDP Default { Port 2 } UDP Default { Port 3 } UDP { } }",
			func(c *Config) any {
				return []bool{c.Links[0].Default, c.Links[1].Default, c.Links[2].Default, c.Links[3].Default}
			}), "[false false true false]"},
		"no default link": {value("Sync { UDP { Port 1 } UDP { } }", func(c *Config) any {
			return []bool{c.Links[0].Default, c.Links[1].Default}
		}), "[true false]"},
		"two modes": {value("Sync { Mode ALARM { } Mode NOTRACK { } }", func(c *Config) any { return c.Mode == Alarm }),
			"true"},
		"no resync": {value("General { NetlinkOverrunResync off }", func(c *Config) any { return c.OverrunResync }), "0s"},
		"resync 0":  {value("General { NetlinkOverrunResync 0 }", func(c *Config) any { return c.OverrunResync }), "30s"},
		"resync on": {value("General { NetlinkOverrunResync off NetlinkOverrunResync on }",
			func(c *Config) any { return c.OverrunResync }), "30s"},
		"a hash of 0": {value("General { HashSize 0 HashLimit 0 }",
			func(c *Config) any { return []int{c.HashSize, c.HashLimit} }), "[65536 262144]"},
		"timeouts": {value("Sync { Mode ALARM { CommitTimeout 1 } CommitTimeout 2 PurgeTimeout 0 }",
			func(c *Config) any { return []time.Duration{c.CommitTimeout, c.PurgeTimeout} }), "[2s 1m0s]"},
		"without effect": {value("Sync { Mode FTFW { DisableExternalCache on CommitTimeout 2 } }",
			func(c *Config) any { return c.CommitTimeout }), "0s"},
		"facilities": {value("Stats { Syslog local1 LogFile on } General { Syslog local2 LogFile on }",
			func(c *Config) any { return []any{c.StatsFacility >> 3, c.Facility >> 3, c.StatsLogFile, c.LogFile} }),
			"[18 18 /var/log/conntrackd-stats.log /var/log/conntrackd.log]"},
		"a scheduler": {value("General { Scheduler { Type FIFO } }",
			func(c *Config) any { return *c.Scheduler }), "{true 0}"},
		"none": {value("General { Scheduler { } }", func(c *Config) any { return c.Scheduler == nil }), "true"},
		"one list of two": {value("General { Filter { Protocol Accept { TCP } Protocol Ignore { UDP tcp } } }",
			func(c *Config) any { return *c.Filter.Protocols }), "{true [tcp udp]}"},
		"a wrong address": {value("Sync { UDP { IPv4_address 1.1.1.1/24 IPv6_Destination_Address 1.1.1.1 } }",
			func(c *Config) any { return []any{c.Links[0].Local, c.Links[0].Remote} }), "[0.0.0.0 ::]"},
		"a directory": {func() any {
			_, messages := Read(t.TempDir())
			return strings.HasPrefix(messages[0].Text, "can't read config file")
		}(), "true"},
		"no end": {func() any {
			_, messages := Read("/dev/zero")
			return messages[0].Text
		}(), "can't read config file `/dev/zero': it has more than 16777216 bytes"},
		"no file": {func() any {
			_, messages := Read(filepath.Join("/nowhere", "conf"))
			return messages[0].Text
		}(), "can't open config file `/nowhere/conf'"},
	} {
		if got := fmt.Sprint(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// value returns something of the configuration that a text is.
func value(text string, get func(*Config) any) any {
	c, messages := Parse([]byte(text))
	if c == nil {
		return messages
	}
	return get(c)
}
