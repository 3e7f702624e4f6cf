package top

import (
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// lookups find the names of hosts, services and processes.
type lookups struct {
	hosts       bool
	hostNames   format.HostNames // nil: no name was asked for yet
	services    bool
	serviceName func(ctnetlink.Protocol, uint16) string
	processes   processFinder
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

// ends are the local processes at both ends of an entry.
type ends [2]struct {
	process format.Process
	ok      bool
}

// of returns the function for the Context of the entry.
func (e *ends) of(f *ctnetlink.Flow) func(string, *ctnetlink.Tuple) (format.Process, bool) {
	return func(_ string, source *ctnetlink.Tuple) (format.Process, bool) {
		i := 0
		if source == f.Reply() {
			i = 1
		}
		return e[i].process, e[i].ok
	}
}

// finder returns the function that finds the processes of rows, nil if none are shown.
// It is for the command of a question, of which there is one at a time.
func (l *lookups) finder(m *Model, p *entries) func([]live.Row) ([]ends, error) {
	if !p.choice.wantsProcesses() {
		return nil
	}
	l.processes.tables = m.tables
	return l.processes.find
}

// processFinder finds the local processes of entries. It lists sockets and processes
// again when what it knows is old.
type processFinder struct {
	tables []*target.Table
	of     []*target.Processes // of each table, nil: they could not be listed
	listed time.Time
}

// processesAge is how old the processes can be that are shown.
const processesAge = 3 * time.Second

var errNoProcesses = errors.New("a table file has no processes")

// find returns the processes of rows.
func (f *processFinder) find(rows []live.Row) ([]ends, error) {
	if time.Since(f.listed) > processesAge {
		if err := f.list(); err != nil {
			return nil, err
		}
	}
	list := make([]ends, len(rows))
	for i := range rows {
		source := rows[i].Ref.Source()
		if source >= len(f.of) || f.of[source] == nil {
			continue
		}
		for k, t := range []*ctnetlink.Tuple{rows[i].Flow.Orig(), rows[i].Flow.Reply()} {
			if process, ok := f.of[source].At(t); ok {
				list[i][k].process, list[i][k].ok = format.Process{PID: process.PID, Name: process.Name}, true
			}
		}
	}
	return list, nil
}

// list begins a new list. It fails if there is none of any table.
func (f *processFinder) list() error {
	for _, p := range f.of {
		if p != nil {
			p.Close()
		}
	}
	f.of = make([]*target.Processes, len(f.tables))
	err := errNoProcesses
	for i, t := range f.tables {
		if !t.InKernel() {
			continue
		}
		p, perr := t.Processes()
		if perr != nil {
			err = errors.New("cannot find the processes of connections: " + console.ErrorText(perr))
			continue
		}
		f.of[i] = p
	}
	for _, p := range f.of {
		if p != nil {
			f.listed = time.Now()
			return nil
		}
	}
	return err
}
