package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// findProcesses lets the context find the local processes of entries, if the request
// wants them. The caller calls end when it has shown the entries.
func findProcesses(e *Env, r *cmdline.Request, c *format.Context) (end func(), err error) {
	if !r.WantsProcesses() {
		return func() {}, nil
	}
	processes := map[string]*target.Processes{}
	end = func() {
		for _, p := range processes {
			p.Close()
		}
	}
	for _, t := range e.Tables {
		if t.File != nil {
			return nil, errors.New("a table file has no processes")
		}
		one := e.at(t)
		p, err := t.Processes()
		switch {
		case err == nil:
			processes[one.netns()] = p
		case !e.Several:
			end()
			return nil, errors.New("cannot find the processes of connections: " + console.ErrorText(err))
		default: // the list of its entries is refused as well, and says so
		}
	}
	c.Process = func(netns string, source *ctnetlink.Tuple) (format.Process, bool) {
		p := processes[netns]
		if p == nil {
			return format.Process{}, false
		}
		found, ok := p.At(source)
		return format.Process{PID: found.PID, Name: found.Name}, ok
	}
	return end, nil
}
