package show

import (
	"fmt"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// AppendStatus appends the status for people. The wording may change: programs read the
// other forms, or the exit status.
func AppendStatus(dst []byte, s *Status) []byte {
	ready, reasons, notes := s.Judge()
	dst = fmt.Appendf(dst, "%s: %s, %s\n", printable.String(s.Host), s.Role, ready)
	for _, r := range reasons {
		dst = fmt.Appendf(dst, "  %s\n", r)
	}
	for _, n := range notes {
		dst = fmt.Appendf(dst, "  note: %s\n", n)
	}
	dst = fmt.Appendf(dst, "\nconntrackd  %s, mode %s, up %s\n", s.Version, modeName(s.Mode), span(s.Now.Sub(s.Started)))
	if !s.Since.IsZero() {
		dst = fmt.Appendf(dst, "role        %s for %s\n", s.Role, span(s.Now.Sub(s.Since)))
	}
	if s.Table >= 0 {
		dst = fmt.Appendf(dst, "table       %d entries\n", s.Table)
	}
	dst = appendCacheLine(dst, "internal", s.Internal, s.InternalExpect)
	dst = appendCacheLine(dst, "external", s.External, s.ExternalExpect)
	dst = fmt.Appendf(dst, "to send     %d changes, %d not acknowledged, %d ends held back", s.Waiting, s.Unacked, s.Held)
	if s.Bulk {
		dst = append(dst, ", a bulk runs"...)
	}
	dst = fmt.Appendf(dst, "\nevents      %d, %d filtered, %d overruns\n", s.Events, s.Filtered, s.Overruns)
	dst = fmt.Appendf(dst, "messages    %d malformed, %d lost, %d late\n", s.Malformed, s.Lost, s.Before)
	if !s.Committed.IsZero() {
		dst = fmt.Appendf(dst, "commit      %d entries, %d failed, in %s, %s ago\n",
			s.New, s.Failed, span(s.Took), span(s.Now.Sub(s.Committed)))
	}
	for i := range s.Links {
		dst = s.Links[i].appendStatus(dst)
	}
	for i := range s.Peers {
		dst = s.Peers[i].appendStatus(dst, s)
	}
	return dst
}

func appendCacheLine(dst []byte, name string, conns, expects *cache.Stats) []byte {
	if conns == nil {
		return dst
	}
	dst = fmt.Appendf(dst, "%s    %d connections", name, conns.Active)
	if conns.Total > conns.Active {
		dst = fmt.Appendf(dst, " (and %d that ended)", conns.Total-conns.Active)
	}
	if expects != nil {
		dst = fmt.Appendf(dst, ", %d expectations", expects.Active)
	}
	if conns.NoSpace > 0 {
		dst = fmt.Appendf(dst, ", no space for %d", conns.NoSpace)
	}
	return append(dst, '\n')
}

func (l *Link) appendStatus(dst []byte) []byte {
	dst = fmt.Appendf(dst, "\nlink        %s %s, %s", printable.String(l.Interface), kindName(l.Kind), l.Status)
	if l.Active {
		dst = append(dst, ", active"...)
	}
	if l.ErrorQueue > 0 {
		dst = fmt.Appendf(dst, ", %d datagrams wait", l.ErrorQueue)
	}
	dst = fmt.Appendf(dst, "\n            sent %d bytes, %d packets, %d errors\n"+
		"            received %d bytes, %d packets, %d errors\n",
		l.SentBytes, l.SentPackets, l.SendErrors, l.RecvBytes, l.RecvPackets, l.RecvErrors)
	if l.Forged+l.Replayed > 0 {
		dst = fmt.Appendf(dst, "            refused %d forged, %d repeated\n", l.Forged, l.Replayed)
	}
	return dst
}

func (p *Peer) appendStatus(dst []byte, s *Status) []byte {
	dst = fmt.Appendf(dst, "\npeer        %s", p.name())
	if p.Name != "" {
		dst = fmt.Appendf(dst, " (%s)", printable.String(p.Address))
	}
	if p.Ours {
		dst = fmt.Appendf(dst, ": %s", p.Role)
	} else {
		dst = append(dst, ": conntrack-tools"...)
	}
	if p.Heard.IsZero() {
		dst = append(dst, ", never heard\n"...)
	} else {
		dst = fmt.Appendf(dst, ", heard %s ago\n", span(s.Now.Sub(p.Heard)))
	}
	dst = fmt.Appendf(dst, "            lag %s, %d not acknowledged, %d messages lost\n", span(p.Lag), p.Unacked, p.Lost)
	dst = fmt.Appendf(dst, "            %d entries here", p.Entries)
	if p.Has >= 0 {
		dst = fmt.Appendf(dst, " of %d, %d missing", p.Has, p.Missing())
	}
	if p.LastBulk.IsZero() {
		return append(dst, ", no whole bulk yet\n"...)
	}
	return fmt.Appendf(dst, ", last bulk %s ago\n", span(s.Now.Sub(p.LastBulk)))
}
