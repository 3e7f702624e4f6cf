// Package config reads conntrackd's configuration file, conntrackd.conf(5): every
// clause, value and message of conntrack-tools, each with the line where it stands.
package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Mode is how nodes are kept alike.
type Mode uint8

// The modes. Stats keeps nothing alike: it counts and logs.
const (
	Stats Mode = iota
	FTFW
	NoTrack
	Alarm
)

// Config is a configuration with its defaults filled in.
type Config struct {
	Mode Mode

	// The clauses of the mode.
	ResendQueueSize      int           // entries
	ACKWindowSize        int           // messages
	CommitTimeout        time.Duration // 0: what is left of the received one
	PurgeTimeout         time.Duration
	RefreshTime          time.Duration
	CacheTimeout         time.Duration
	DisableExternalCache bool
	DisableInternalCache bool
	StartupResync        bool

	// Links are the dedicated links, the default one marked, 1 to 4 of one kind.
	Links            []Link
	ErrorQueueLength int // datagrams

	// The options.
	TCPWindowTracking bool
	Expect            bool
	ExpectHelpers     []string // empty: of all helpers

	// Keys and what is our own: package link describes their use.
	KeyFile    string // KeyFile: the file that has the key of the channel
	Encrypt    bool   // Encrypt on: sealed, not only signed
	Extensions bool   // Extensions off: nothing that conntrack-tools does not know is sent. Default: on
	MetricsOn  string // Metrics: a path of a socket, or address:port; "" for none

	// General.
	HashSize            int
	HashLimit           int
	LogFile             string // "": none
	Syslog              bool
	Facility            int    // syslog's, as package log/syslog has it
	StatsLogFile        string // "": none
	StatsSyslog         bool
	StatsFacility       int
	LockFile            string
	Socket              string // UNIX { Path }
	NetlinkBuffer       int    // 0: the system's
	NetlinkBufferMax    int
	OverrunResync       time.Duration // 0: never
	EventsReliable      bool
	Poll                time.Duration // 0: events
	EventIterationLimit int
	Scheduler           *Scheduler // nil: ordinary
	Systemd             bool
	Filter              Filter
	KernelFilter        bool // From Kernelspace
	Helpers             bool // a Helper section that is not empty: it is not built

	lines   map[string]int // where a clause is, the last one
	told    []Message      // what Check has to say of the text
	modes   int            // how many modes were told
	hasMode bool           // Sync or Stats was told
}

// Kind is the protocol of a dedicated link.
type Kind uint8

// The kinds.
const (
	Multicast Kind = iota + 1
	UDP
	TCP
)

// Link is a dedicated link.
type Link struct {
	Kind      Kind
	Default   bool
	Local     netip.Addr // of UDP and TCP; of Multicast: IPv4_interface. Unspecified: a wrong one was told
	Remote    netip.Addr // the destination; of Multicast: the group
	Port      int
	Interface string
	SndBuffer int // bytes, 0: the system's
	RcvBuffer int
	Checksum  bool
	Line      int // where the section begins
}

// Scheduler is how the daemon is scheduled.
type Scheduler struct {
	FIFO     bool // otherwise RR
	Priority int  // 0: not told, the kernel refuses it
}

// KeepsExpectations reports whether expectations of a helper are kept alike: a name of the
// list is the beginning of its own, in any case.
func (c *Config) KeepsExpectations(helper string) bool {
	return len(c.ExpectHelpers) == 0 || slices.ContainsFunc(c.ExpectHelpers, func(name string) bool {
		return len(helper) >= len(name) && strings.EqualFold(helper[:len(name)], name)
	})
}

// Filter says which entries are kept alike. Each list that is not nil must accept.
type Filter struct {
	Protocols *List[ctnetlink.Protocol]
	Addresses *List[netip.Prefix]
	States    *List[ctnetlink.State] // of TCP
}

// List is a list of what is accepted or, if Ignore, of what is not.
type List[T any] struct {
	Ignore bool
	Items  []T
}

// Level is how bad a message is.
type Level uint8

// The levels, with the words of the log.
const (
	Notice Level = iota
	Warning
	Error
)

// Message is what there is to say of a file.
type Message struct {
	Level Level
	Line  int // 1-based, 0: of the file as a whole
	Text  string
	Fatal bool
}
