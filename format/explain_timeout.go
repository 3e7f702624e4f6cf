package format

import (
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// timer is a setting that may have set the timeout, and what did it then.
type timer struct {
	setting string // without nf_conntrack_
	cause   string // "" for the setting of the state
	seconds uint64
}

// timers returns the settings that the entry's timeout may come from.
func (t *explainer) timers() []timer {
	own, _ := t.rest()
	if own.setting == "" {
		w, _ := t.current()
		if w == nil || w.idle.setting == "" {
			return nil
		}
		own = w.idle
	}
	seconds, ok := t.e.Sysctl("nf_conntrack_" + own.setting)
	if !ok {
		return nil
	}
	list := []timer{{own.setting, "", seconds}}
	shorter := func(setting, cause string) {
		n, ok := t.e.Sysctl("nf_conntrack_" + setting)
		if !ok || n >= seconds {
			return
		}
		if last := &list[len(list)-1]; last.seconds == n {
			last.cause += ", or by nf_conntrack_" + setting + ", as " + cause
			return
		}
		list = append(list, timer{setting, cause, n})
	}
	info, _ := t.f.ProtoInfo()
	if t.orig.Proto != ctnetlink.ProtoTCP || info.Has&ctnetlink.InfoState == 0 {
		return list
	}
	flags := info.Flags[0].Value | info.Flags[1].Value
	state := info.State.Number()
	unanswered := state == tcpEstablished && flags&ctnetlink.TCPBeLiberal != 0 && !t.has(ctnetlink.StatusAssured)
	switch {
	case flags&tcpUnacknowledged != 0:
		shorter("tcp_timeout_unacknowledged", "something is not acknowledged")
	case unanswered:
		shorter("tcp_timeout_unacknowledged", "it had no reply before that packet")
	}
	shorter("tcp_timeout_max_retrans", "an ACK was repeated, or the last window was 0")
	if state == tcpEstablished {
		shorter("tcp_timeout_close", "a RST came whose number was not exactly the next")
	}
	return list
}

// timeout returns which setting has set the timeout, and so when the last packet
// came that did. A setting is ruled out if it is less than what is left, or if it
// would have been set before the entry was there.
func (t *explainer) timeout() string {
	left, ok := wholeSeconds(t.f.Timeout())
	const apart = ctnetlink.StatusDying | ctnetlink.StatusFixedTimeout | ctnetlink.StatusOffload | ctnetlink.StatusHWOffload
	if t.e.Sysctl == nil || !ok || !t.hasStatus || t.has(apart) {
		return ""
	}
	all := t.timers()
	if all == nil {
		return ""
	}
	now := Context{Now: t.e.Now}
	_, started := t.f.Start()
	old, _ := age(t.f, &now)
	var possible []string
	for i := range all {
		c := &all[i]
		// What is left is rounded down, and the age may be.
		if left > c.seconds || started && c.seconds-left > old+2 {
			continue
		}
		since := c.seconds - left
		if since > 0 {
			since-- // what is left was rounded down
		}
		text := "nf_conntrack_" + c.setting + " (" + durationInWords(c.seconds) + ") " + ago(since)
		if c.cause != "" {
			text += ", as " + c.cause
		}
		possible = append(possible, text)
	}
	switch len(possible) {
	case 0:
		return "no setting for this state fits: a request, a helper, a timeout policy or an older setting has set it"
	case 1:
		return "set by " + possible[0] + ", if not by a request or a timeout policy"
	}
	return "set by one of: " + strings.Join(possible, "; ") + " (if not by a request or a timeout policy)"
}
