//go:build !linux

package target

import (
	"errors"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// processNames finds the program behind a port id, which only Linux can.
type processNames struct{}

// ProcessName returns "": the program behind a port id is not known.
func (t *Table) ProcessName(portID uint32) string { return "" }

// Sysctl reports that settings are not known.
func (t *Table) Sysctl(string) (value uint64, ok bool) { return 0, false }

// Processes finds the local processes of connections, which only Linux can.
type Processes struct{}

// Process is a process.
type Process struct {
	PID  int
	Name string
}

// Processes returns an error: the processes of connections are not known.
func (t *Table) Processes() (*Processes, error) {
	return nil, errors.New("the processes of connections are known on Linux only")
}

// Close does nothing.
func (p *Processes) Close() {}

// At reports that no process is known.
func (p *Processes) At(*ctnetlink.Tuple) (process Process, ok bool) { return Process{}, false }
