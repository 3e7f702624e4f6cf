package show

import (
	"strconv"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// AppendStatusProm appends the status as OpenMetrics text
// (https://prometheus.io/docs/specs/om/open_metrics_spec/). Numbers that are not known
// are left out. Later versions may add families.
func AppendStatusProm(dst []byte, s *Status) []byte {
	m := metrics{dst}
	ready, _, _ := s.Judge()
	m.family("conntrackd", "info", "The program and how it runs.")
	m.sample("conntrackd_info", 1, "version", s.Version, "mode", modeName(s.Mode), "host", s.Host)
	m.gauge("conntrackd_start_time_seconds", "When the daemon started.", seconds(s.Started))
	m.family("conntrackd_role", "stateset", "What this node does.")
	for _, r := range [...]string{"primary", "backup", "demoted", "unknown"} {
		m.sample("conntrackd_role", boolean(s.Role == r), "conntrackd_role", r)
	}
	m.gauge("conntrackd_status", "0: ready to take over, 1: in part, 2: nothing was received.", float64(ready))
	if s.Table >= 0 {
		m.gauge("conntrackd_table_entries", "Entries of the kernel's table.", float64(s.Table))
	}
	m.caches(s)
	m.gauge("conntrackd_waiting_changes", "Changes that wait to be sent.", float64(s.Waiting))
	m.gauge("conntrackd_unacknowledged_messages", "Sent and not acknowledged by all peers.", float64(s.Unacked))
	m.gauge("conntrackd_held_ends", "Ends of entries that are held back.", float64(s.Held))
	m.counter("conntrackd_events", "Events of the kernel.", s.Events)
	m.counter("conntrackd_events_filtered", "Events that the filter did not let through.", s.Filtered)
	m.counter("conntrackd_overruns", "Times that events of the kernel were lost.", s.Overruns)
	m.gauge("conntrackd_resync_due", "1: events were lost, and the table was not read again since.", boolean(s.Resync))
	m.counter("conntrackd_messages_malformed", "Messages received and not understood.", s.Malformed)
	m.counter("conntrackd_messages_lost", "Messages of peers that did not arrive at first.", s.Lost)
	m.counter("conntrackd_messages_late", "Messages that arrived late or twice.", s.Before)
	if !s.Committed.IsZero() {
		m.gauge("conntrackd_commit_timestamp_seconds", "When the last commit ended.", seconds(s.Committed))
		m.gauge("conntrackd_commit_duration_seconds", "How long it took.", s.Took.Seconds())
		m.gauge("conntrackd_commit_entries", "Entries that it wrote.", float64(s.New))
		m.gauge("conntrackd_commit_failed_entries", "Entries that it could not write.", float64(s.Failed))
	}
	m.links(s.Links)
	m.peers(s.Peers)
	return append(m.b, "# EOF\n"...)
}

func (m *metrics) caches(s *Status) {
	list := []struct {
		cache, of string
		s         *cache.Stats
	}{
		{"internal", "connections", s.Internal}, {"external", "connections", s.External},
		{"internal", "expectations", s.InternalExpect}, {"external", "expectations", s.ExternalExpect},
	}
	for _, f := range [...]struct {
		name, kind, help string
		value            func(*cache.Stats) uint64
	}{
		{"conntrackd_cache_entries", "gauge", "Entries of a cache.",
			func(s *cache.Stats) uint64 { return s.Active }},
		{"conntrackd_cache_ended_entries", "gauge", "Entries that ended and that not all peers know of.",
			func(s *cache.Stats) uint64 { return s.Total - s.Active }},
		{"conntrackd_cache_created", "counter", "Entries made in a cache.",
			func(s *cache.Stats) uint64 { return s.Created }},
		{"conntrackd_cache_updated", "counter", "Entries changed in a cache.",
			func(s *cache.Stats) uint64 { return s.Updated }},
		{"conntrackd_cache_deleted", "counter", "Entries ended in a cache.",
			func(s *cache.Stats) uint64 { return s.Deleted }},
		{"conntrackd_cache_no_space", "counter", "Entries that a cache had no space for.",
			func(s *cache.Stats) uint64 { return s.NoSpace }},
	} {
		m.family(f.name, f.kind, f.help)
		for _, c := range list {
			if c.s != nil {
				m.sample(sampleName(f.name, f.kind), float64(f.value(c.s)), "cache", c.cache, "of", c.of)
			}
		}
	}
}

func (m *metrics) links(links []Link) {
	if len(links) == 0 {
		return
	}
	for _, f := range [...]struct {
		name, kind, help string
		sent, received   func(*Link) float64 // received nil: sent is of neither direction
	}{
		{"conntrackd_link_up", "gauge", "1: the link is up.",
			func(l *Link) float64 { return boolean(l.Status == "RUNNING") }, nil},
		{"conntrackd_link_active", "gauge", "1: messages go over this link.",
			func(l *Link) float64 { return boolean(l.Active) }, nil},
		{"conntrackd_link_waiting_datagrams", "gauge", "Datagrams that wait to be sent again.",
			func(l *Link) float64 { return float64(l.ErrorQueue) }, nil},
		{"conntrackd_link_bytes", "counter", "Bytes of a link.",
			func(l *Link) float64 { return float64(l.SentBytes) }, func(l *Link) float64 { return float64(l.RecvBytes) }},
		{"conntrackd_link_packets", "counter", "Packets of a link.",
			func(l *Link) float64 { return float64(l.SentPackets) }, func(l *Link) float64 { return float64(l.RecvPackets) }},
		{"conntrackd_link_errors", "counter", "Errors of a link.",
			func(l *Link) float64 { return float64(l.SendErrors) }, func(l *Link) float64 { return float64(l.RecvErrors) }},
		{"conntrackd_link_forged", "counter", "Packets refused: not made with the key.",
			func(l *Link) float64 { return float64(l.Forged) }, nil},
		{"conntrackd_link_replayed", "counter", "Packets refused: repeated.",
			func(l *Link) float64 { return float64(l.Replayed) }, nil},
	} {
		m.family(f.name, f.kind, f.help)
		name := sampleName(f.name, f.kind)
		for i := range links {
			l := &links[i]
			// Two links may be on one interface.
			labels := []string{"link", strconv.Itoa(i), "device", l.Interface, "kind", kindName(l.Kind)}
			if f.received == nil {
				m.sample(name, f.sent(l), labels...)
				continue
			}
			m.sample(name, f.sent(l), append(labels, "direction", "sent")...)
			m.sample(name, f.received(l), append(labels, "direction", "received")...)
		}
	}
}

func (m *metrics) peers(peers []Peer) {
	for _, f := range [...]struct {
		name, kind, help string
		value            func(*Peer) (float64, bool)
	}{
		{"conntrackd_peer_away", "gauge", "1: the peer is silent.",
			func(p *Peer) (float64, bool) { return boolean(p.Away), true }},
		{"conntrackd_peer_heard_timestamp_seconds", "gauge", "When the peer was heard last.",
			func(p *Peer) (float64, bool) { return seconds(p.Heard), !p.Heard.IsZero() }},
		{"conntrackd_peer_lag_seconds", "gauge", "Age of the oldest change that the peer has not acknowledged.",
			func(p *Peer) (float64, bool) { return p.Lag.Seconds(), true }},
		{"conntrackd_peer_unacknowledged_messages", "gauge", "Messages that the peer has not acknowledged.",
			func(p *Peer) (float64, bool) { return float64(p.Unacked), true }},
		{"conntrackd_peer_entries", "gauge", "Entries of the peer in the external cache.",
			func(p *Peer) (float64, bool) { return float64(p.Entries), true }},
		{"conntrackd_peer_missing_entries", "gauge", "Entries of the peer that are not there.",
			func(p *Peer) (float64, bool) { return float64(p.Missing()), p.Has >= 0 }},
		{"conntrackd_peer_bulk_timestamp_seconds", "gauge", "When the peer's table had arrived as a whole.",
			func(p *Peer) (float64, bool) { return seconds(p.LastBulk), !p.LastBulk.IsZero() }},
		{"conntrackd_peer_messages_lost", "counter", "Messages of the peer that did not arrive at first.",
			func(p *Peer) (float64, bool) { return float64(p.Lost), true }},
	} {
		declared := false
		for i := range peers {
			p := &peers[i]
			v, ok := f.value(p)
			if !ok {
				continue
			}
			if !declared {
				m.family(f.name, f.kind, f.help)
				declared = true
			}
			m.sample(sampleName(f.name, f.kind), v, "peer", p.Address, "name", p.Name)
		}
	}
}

// metrics writes OpenMetrics text.
type metrics struct{ b []byte }

func sampleName(family, kind string) string {
	if kind == "counter" {
		return family + "_total"
	}
	return family
}

func (m *metrics) family(name, kind, help string) {
	m.b = append(append(append(append(m.b, "# HELP "...), name...), ' '), help...)
	m.b = append(append(append(append(m.b, "\n# TYPE "...), name...), ' '), kind...)
	m.b = append(m.b, '\n')
}

// sample appends a sample with its labels: names and values in turn.
func (m *metrics) sample(name string, v float64, labels ...string) {
	m.b = append(m.b, name...)
	for i := 0; i+1 < len(labels); i += 2 {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		m.b = append(append(append(m.b, sep), labels[i]...), `="`...)
		for _, c := range printable.Append(nil, labels[i+1]) {
			if c == '\\' || c == '"' {
				m.b = append(m.b, '\\')
			}
			m.b = append(m.b, c)
		}
		m.b = append(m.b, '"')
	}
	if len(labels) > 1 {
		m.b = append(m.b, '}')
	}
	m.b = strconv.AppendFloat(append(m.b, ' '), v, 'f', -1, 64)
	m.b = append(m.b, '\n')
}

func (m *metrics) gauge(name, help string, v float64) {
	m.family(name, "gauge", help)
	m.sample(name, v)
}

func (m *metrics) counter(name, help string, v uint64) {
	m.family(name, "counter", help)
	m.sample(name+"_total", float64(v))
}

func boolean(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// seconds returns a time as seconds since 1970, in milliseconds.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
