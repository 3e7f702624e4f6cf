package cmd

import (
	"errors"
	"math"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// copyTable copies the entries of the program's table into one in memory, which
// nobody else sees. Time stands still there. An entry takes some 250 bytes.
func (p *program) copyTable() (*ctnetlink.Conn, error) {
	now := time.Now()
	t := engine.New(engine.Options{Now: func() time.Time { return now }, Max: math.MaxInt32})
	for f, err := range p.table.Dump(&ctnetlink.DumpRequest{}) {
		if err == nil {
			err = copyEntry(t, f)
		}
		if err != nil {
			return nil, err
		}
	}
	return ctnetlink.NewConn(t.Dial), nil
}

// copyEntry puts an entry of another table into t. What the engine does not
// know, such as a helper that runs outside the kernel, is left out.
func copyEntry(t *engine.Table, f *ctnetlink.Flow) error {
	err := t.Restore(f.Message(), 0)
	if err != nil && !settled(err) {
		err = t.Restore(settable(f).AppendMessage(nil), 0)
	}
	if settled(err) {
		return nil
	}
	return err
}

// settled tells whether an entry has no place in a copy: it has ended, or it
// began again during the dump, which then has it twice.
func settled(err error) bool {
	return errors.Is(err, engine.ErrEnded) || errors.Is(err, ctnetlink.EEXIST)
}

// settable returns what requests can choose by, or change, of an entry.
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
