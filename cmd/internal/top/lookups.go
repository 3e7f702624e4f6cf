package top

import (
	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// lookups find the names of hosts and services.
type lookups struct {
	hosts       bool
	hostNames   format.HostNames // nil: no name was asked for yet
	services    bool
	serviceName func(ctnetlink.Protocol, uint16) string
}

// init takes what a command line asks for.
func (l *lookups) init(m *Model) {
	if m.options == nil || m.options.request == nil {
		return
	}
	r := m.options.request
	if l.setHosts(r.Has(cmdline.OptNames)); r.Has(cmdline.OptServices) {
		l.services, l.serviceName = true, action.ServiceNames()
	}
}

// setHosts shows names of hosts, or addresses.
func (l *lookups) setHosts(on bool) {
	l.hosts = on
	if on && l.hostNames == nil {
		l.hostNames = action.HostNames()
	}
}

// setServices shows names of services, or ports.
func (l *lookups) setServices(on bool) tea.Cmd {
	if !on || l.serviceName != nil {
		l.services = on
		return nil
	}
	return func() tea.Msg {
		names := action.ServiceNames()
		return effect(func(*Model) tea.Cmd {
			l.services, l.serviceName = true, names
			return nil
		})
	}
}

// dress sets the names that a table shows.
func (l *lookups) dress(o *format.Options) {
	if l.hosts {
		o.HostNames = l.hostNames
	}
	if l.services {
		o.ServiceName = l.serviceName
	}
}
