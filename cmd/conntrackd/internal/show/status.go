package show

import (
	"fmt"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Status is what --status shows: the figures of a node at one moment.
type Status struct {
	Version string // of the program
	Host    string // the node's name
	Now     time.Time
	Started time.Time

	Mode  config.Mode
	Role  string    // primary, backup, demoted or unknown
	Since time.Time // when it took the role; zero: unknown

	Internal, External             *cache.Stats // nil: there is none
	InternalExpect, ExternalExpect *cache.Stats // nil: there is none
	Table                          int          // entries of the kernel's table, -1: not known
	Waiting                        int          // changes that wait to be sent
	Unacked                        int          // messages that peers have not acknowledged
	Held                           int          // ends that are held back
	Bulk                           bool         // a bulk is being sent

	Events   uint64 // of the kernel
	Filtered uint64
	Overruns uint64
	Resync   bool // events were lost, and the table was not read again since

	Malformed, Lost, Before uint64 // received messages

	Committed time.Time // when the last commit ended; zero: none
	Took      time.Duration
	New       int // entries that it wrote
	Failed    int

	Links []Link
	Peers []Peer

	// Ready is what the node itself knows of how much of its peers' tables is here, and
	// Reasons are why it is not all.
	Ready   Readiness
	Reasons []string
}

// Peer is what is known of another node.
type Peer struct {
	Name    string // "": not known
	Address string
	Ours    bool // it is this program, not conntrack-tools
	Role    string
	Heard   time.Time // zero: never
	// Away is set when nothing was heard for so long that the peer is not waited for.
	Away    bool
	Lag     time.Duration // of the oldest change that it has not acknowledged
	Unacked int
	Entries int // of it in the external cache
	// Has is how many entries it says that it has, -1: it does not say.
	Has        int
	LastBulk   time.Time // the end of its last whole one; zero: none
	Generation uint16
	Lost       uint64
}

// Missing returns how many of the peer's entries are not in the external cache, -1 if
// that is not known.
func (p *Peer) Missing() int {
	if p.Has < 0 {
		return -1
	}
	return max(p.Has-p.Entries, 0)
}

// inFlight is how many entries may be missing of a peer that opens connections all the
// time: those that are on their way.
func (p *Peer) inFlight() int { return max(p.Has/100, 100) }

func (p *Peer) name() string {
	if p.Name != "" {
		return printable.String(p.Name)
	}
	return printable.String(p.Address)
}

// Readiness is how ready a node is to take over, and the exit status of --status.
type Readiness int

// The degrees of readiness.
const (
	// Ready: all that the peers have is here, and of a peer that died, all that it had.
	// A primary is ready.
	Ready Readiness = iota
	// Partly: connections would be lost. The reasons say why.
	Partly
	// Nothing: no peer has sent its table yet. It is also the exit status when no daemon
	// answers.
	Nothing
)

func (r Readiness) String() string {
	return [...]string{"ready to take over", "not quite ready to take over", "not ready to take over"}[min(max(r, 0), 2)]
}

// slowLag is the lag from which on a node would lose connections.
const slowLag = 3 * time.Second

// Judge returns how ready the node is to take over, and what keeps it from being so.
// Notes are not reasons, but worth knowing.
func (s *Status) Judge() (r Readiness, reasons, notes []string) {
	if s.Mode == config.Stats {
		return Ready, nil, []string{"the statistics mode has no peers"}
	}
	r = s.Ready
	reasons = append(reasons, s.Reasons...)
	for i := range s.Peers {
		p := &s.Peers[i]
		if m := p.Missing(); m > p.inFlight() {
			r = max(r, Partly)
			reasons = append(reasons, fmt.Sprintf("%s has %d entries that are not here", p.name(), m))
		}
		notes = append(notes, s.about(p)...)
	}
	if s.Role == "primary" {
		// It has taken over: what it lacks of its peers does not matter.
		r, reasons, notes = Ready, nil, append(reasons, notes...)
	}
	if s.Resync {
		r = max(r, Partly)
		reasons = append(reasons, "events of the kernel were lost, and the table was not read again since")
	}
	if s.links() == 0 {
		notes = append(notes, "no dedicated link is up")
	}
	if s.Held > 0 {
		notes = append(notes, fmt.Sprintf("%d ends of entries are held back", s.Held))
	}
	return r, reasons, notes
}

// about says what else there is to know of a peer.
func (s *Status) about(p *Peer) (notes []string) {
	if p.Away {
		notes = append(notes, fmt.Sprintf("%s is silent for %s", p.name(), span(s.Now.Sub(p.Heard))))
	}
	if p.Lag > slowLag && !p.Away {
		notes = append(notes, fmt.Sprintf("%s is %s behind", p.name(), span(p.Lag)))
	}
	if !p.Ours {
		notes = append(notes, fmt.Sprintf("%s is conntrack-tools, which does not tell what it has", p.name()))
	}
	return notes
}

// links returns how many links are up.
func (s *Status) links() (n int) {
	for i := range s.Links {
		if s.Links[i].Status == "RUNNING" {
			n++
		}
	}
	return n
}

func modeName(m config.Mode) string {
	switch m {
	case config.FTFW:
		return "ftfw"
	case config.NoTrack:
		return "notrack"
	case config.Alarm:
		return "alarm"
	}
	return "stats"
}

// span returns a time span for people: 12 ms, 3.4 s, 5 min, 2 h 5 min, 3 d 4 h.
func span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}
