package top

import (
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/live"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

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

// processFinder finds the local processes of entries. It lists sockets and processes
// again when what it knows is old; that takes long where there are many, so it is done
// beside the questions for rows, by one command at a time.
type processFinder struct {
	known map[live.Ref]ends // of the rows that were asked for last
	asked bool              // a command is under way

	// What follows is for the command only.
	tables []*target.Table
	of     []*target.Processes // of each table, nil: they could not be listed
	listed time.Time
	cost   time.Duration // of a list
}

const (
	// processesAge is how old the processes can be that are shown, if a list of them
	// takes no more than one part of processesShare of the time.
	processesAge   = 3 * time.Second
	processesShare = 20
)

var errNoProcesses = errors.New("a table file has no processes")

// soughtRow is a row whose processes are sought.
type soughtRow struct {
	ref    live.Ref
	tuples [2]ctnetlink.Tuple
}

// seek returns the command that finds the processes of rows, nil if one is under way.
func (p *entries) seek(m *Model) tea.Cmd {
	f := &p.processes
	if f.asked || p.page == nil || !p.choice.wantsProcesses() {
		return nil
	}
	f.asked, f.tables = true, m.tables
	rows := make([]soughtRow, len(p.page.Rows))
	for i := range rows {
		row := &p.page.Rows[i]
		rows[i] = soughtRow{row.Ref, [2]ctnetlink.Tuple{*row.Flow.Orig(), *row.Flow.Reply()}}
	}
	return func() tea.Msg {
		known, err := f.find(rows)
		return effect(func(m *Model) tea.Cmd {
			f.asked, f.known = false, known
			if err != nil {
				p.choice.withoutProcesses()
				m.fail(err)
			}
			return nil
		})
	}
}

// find returns the processes of rows.
func (f *processFinder) find(rows []soughtRow) (map[live.Ref]ends, error) {
	begun := time.Now()
	renew := begun.Sub(f.listed) > max(processesAge, processesShare*f.cost)
	if renew {
		if err := f.list(); err != nil {
			return nil, err
		}
	}
	known := make(map[live.Ref]ends, len(rows))
	for i := range rows {
		source := rows[i].ref.Source()
		if source >= len(f.of) || f.of[source] == nil {
			continue
		}
		var e ends
		for k := range e {
			process, ok := f.of[source].At(&rows[i].tuples[k]) // the first one lists them
			e[k].process, e[k].ok = format.Process{PID: process.PID, Name: process.Name}, ok
		}
		known[rows[i].ref] = e
	}
	if renew {
		f.cost = time.Since(begun)
	}
	return known, nil
}

// list begins a new list. It fails if there is none of any table.
func (f *processFinder) list() error {
	for _, p := range f.of {
		if p != nil {
			p.Close()
		}
	}
	f.of = make([]*target.Processes, len(f.tables))
	err, any := errNoProcesses, false
	for i, t := range f.tables {
		if !t.InKernel() {
			continue
		}
		p, perr := t.Processes()
		if perr != nil {
			err = errors.New("cannot find the processes of connections: " + console.ErrorText(perr))
			continue
		}
		f.of[i], any = p, true
	}
	if !any {
		return err
	}
	f.listed = time.Now()
	return nil
}
