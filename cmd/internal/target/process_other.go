//go:build !linux

package target

// processNames finds the program behind a port id, which only Linux can.
type processNames struct{}

// ProcessName returns "": the program behind a port id is not known.
func (t *Table) ProcessName(portID uint32) string { return "" }
