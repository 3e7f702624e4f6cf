package target

import (
	"errors"
	"math"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// Copy copies the entries of a table into a table in memory whose clock is
// stopped. An entry takes some 250 bytes.
func (t *Table) Copy() (*Table, error) {
	now := t.Now()
	clock := func() time.Time { return now }
	inMemory := engine.New(engine.Options{Now: clock, Max: math.MaxInt32})
	for f, err := range t.Conn.Dump(&ctnetlink.DumpRequest{}) {
		if err == nil {
			err = copyEntry(inMemory, f)
		}
		if err != nil {
			return nil, err
		}
	}
	return &Table{Conn: ctnetlink.NewConn(inMemory.Dial), Name: t.Name, clock: clock}, nil
}

// copyEntry copies an entry of another table to t. One that has ended needs no
// copy, nor does one that the dump has twice because it began again meanwhile.
func copyEntry(t *engine.Table, f *ctnetlink.Flow) error {
	err := t.Restore(f.Message(), 0)
	if errors.Is(err, engine.ErrEnded) || errors.Is(err, ctnetlink.EEXIST) {
		return nil
	}
	return err
}
