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

// copyEntry copies an entry of another table to t. What the engine does not know,
// such as a helper outside the kernel, is left out.
func copyEntry(t *engine.Table, f *ctnetlink.Flow) error {
	err := t.Restore(f.Message(), 0)
	if err != nil && !superseded(err) {
		err = t.Restore(settable(f).AppendMessage(nil), 0)
	}
	if superseded(err) {
		return nil
	}
	return err
}

// superseded reports whether the error means that an entry needs no copy: it has
// ended, or the dump has it twice because it began again meanwhile.
func superseded(err error) bool {
	return errors.Is(err, engine.ErrEnded) || errors.Is(err, ctnetlink.EEXIST)
}

// settable returns what requests can select by, or change, of an entry.
func settable(f *ctnetlink.Flow) *ctnetlink.FlowSpec {
	en := &ctnetlink.FlowSpec{}
	en.Identify(f)
	en.Reply = *f.Reply()
	set := func(a ctnetlink.Attr, has bool) {
		if has {
			en.Set = en.Set.With(a)
		}
	}
	var has bool
	en.Status, has = f.Status()
	set(ctnetlink.AttrStatus, has)
	en.Timeout, has = f.Timeout()
	set(ctnetlink.AttrTimeout, has)
	en.Mark, has = f.Mark()
	set(ctnetlink.AttrMark, has)
	en.ProtoInfo, has = f.ProtoInfo()
	set(ctnetlink.AttrProtoInfo, has)
	en.Master, has = f.Master()
	set(ctnetlink.AttrTupleMaster, has)
	en.Labels, has = f.Labels()
	set(ctnetlink.AttrLabels, has)
	return en
}
