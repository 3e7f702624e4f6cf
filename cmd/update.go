package cmd

import (
	"errors"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// update changes the entries that match and prints each as it is then.
func (p *program) update(r *Request) error {
	if r.has(optDryRun) {
		return p.wouldUpdate(r)
	}
	u := &updating{flowPrinter: p.flows(r), request: r, batch: p.table.NewBatch()}
	defer u.batch.Close()
	bar := p.startProgress("updating", "entries", 0, true)
	defer bar.stop()
	for f, err := range bar.flows(p.matching(r)) {
		if err != nil {
			_ = u.settle() // the dump's failure is the one to tell
			return r.refused(err)
		}
		if err := u.add(f); err != nil {
			return err
		}
	}
	if err := u.settle(); err != nil {
		return err
	}
	u.end()
	return p.counted(u.n, "%d flow entries have been updated.", true)
}

// updating sends changes in batches while the dump goes on, and reads each
// changed entry back.
type updating struct {
	*flowPrinter
	request *Request
	batch   *ctnetlink.Batch
	waiting []change
}

// change is an entry whose change waits for its confirmation.
type change struct {
	identity ctnetlink.FlowSpec
	// labels: labels are to be set, more: something else too.
	labels, more bool
}

func (u *updating) add(f *ctnetlink.Flow) error {
	var c change
	c.identity.Identify(f)
	en := c.identity
	if !u.request.changes(&en, f) {
		return nil
	}
	c.labels, c.more = en.Set.Has(ctnetlink.AttrLabels), u.request.changesBesideLabels(f)
	u.batch.Update(&en)
	u.waiting = append(u.waiting, c)
	if u.batch.Full() {
		return u.settle()
	}
	return nil
}

// settle sends what waits, and prints each changed entry as it is then. One
// that vanished is passed over. The first refusal is returned, after the lines
// of all that were changed.
func (u *updating) settle() error {
	waiting := u.waiting
	u.waiting = u.waiting[:0]
	errs, err := u.batch.Do(nil)
	if err != nil {
		return u.request.refused(err)
	}
	var refused error
	changed := waiting[:0]
	for i, err := range errs {
		c := waiting[i]
		// No room for labels, which come last: what else was asked for has
		// been done.
		noRoom := errors.Is(err, ctnetlink.ENOSPC) && c.labels
		switch {
		case err == nil || noRoom && c.more:
			changed = append(changed, c)
		case noRoom || errors.Is(err, ctnetlink.ENOENT):
		case refused == nil:
			refused = u.request.refused(err)
		}
	}
	if err := u.show(changed); err != nil {
		return err
	}
	return refused
}

// show reads entries back and prints them; one whose place another took is
// passed over.
func (u *updating) show(changed []change) error {
	for len(changed) > 0 {
		n := 0
		for ; n < len(changed) && !u.batch.Full(); n++ {
			u.batch.Get(&changed[n].identity)
		}
		var failed error
		errs, err := u.batch.Do(func(i int, f *ctnetlink.Flow) {
			en := &changed[i].identity
			if id, ok := f.ID(); ok && en.Set.Has(ctnetlink.AttrID) && id != en.ID {
				return
			}
			if failed == nil {
				failed = u.flow(f)
			}
		})
		for _, e := range errs {
			if err == nil && !errors.Is(e, ctnetlink.ENOENT) {
				err = e
			}
		}
		if err != nil {
			return u.request.refused(err)
		}
		if failed != nil {
			return failed
		}
		changed = changed[n:]
	}
	return nil
}

// changes adds to en what the command line changes in the entry f, and tells
// whether anything would. Labels are sent always.
func (r *Request) changes(en *ctnetlink.FlowSpec, f *ctnetlink.Flow) bool {
	changed := r.changesBesideLabels(f)
	if changed {
		r.setChanges(en, f)
	}
	switch {
	case r.has(optLabelAdd):
		en.Labels, en.LabelsMask = r.LabelAdd, r.LabelAdd
		en.Set = en.Set.With(ctnetlink.AttrLabels).With(ctnetlink.AttrLabelsMask)
	case r.has(optLabelDel) && r.LabelDel != nil:
		en.Labels, en.LabelsMask = make([]byte, len(r.LabelDel)), r.LabelDel
		en.Set = en.Set.With(ctnetlink.AttrLabels).With(ctnetlink.AttrLabelsMask)
	case r.has(optLabelDel):
		en.Labels = ctnetlink.NewLabels()
		en.Set = en.Set.With(ctnetlink.AttrLabels)
	default:
		return changed
	}
	return true
}

// changesBesideLabels tells whether the entry would differ from what it is.
func (r *Request) changesBesideLabels(f *ctnetlink.Flow) bool {
	if timeout, ok := f.Timeout(); r.has(optTimeout) && (!ok || timeout != r.Timeout) {
		return true
	}
	if status, _ := f.Status(); r.StatusSet&^status != 0 {
		return true
	}
	if mark, _ := f.Mark(); r.has(optMark) && mark&^r.MarkMask^r.Mark != mark {
		return true
	}
	if r.protoGiven&(1<<poState|1<<poOrigVTag|1<<poReplyVTag) == 0 {
		return false
	}
	info, _ := f.ProtoInfo()
	return r.Info.Has&ctnetlink.InfoState != 0 && info.State != r.Info.State ||
		r.protoGiven.has(poOrigVTag) && info.VTag[0] != r.Info.VTag[0] ||
		r.protoGiven.has(poReplyVTag) && info.VTag[1] != r.Info.VTag[1]
}

// setChanges adds to en everything but the labels.
func (r *Request) setChanges(en *ctnetlink.FlowSpec, f *ctnetlink.Flow) {
	if r.has(optTimeout) {
		en.Timeout, en.Set = r.Timeout, en.Set.With(ctnetlink.AttrTimeout)
	}
	if r.StatusSet != 0 {
		status, _ := f.Status()
		en.Status = status | r.StatusSet | ctnetlink.StatusConfirmed
		en.Set = en.Set.With(ctnetlink.AttrStatus)
	}
	if r.has(optMark) {
		en.Mark, en.MarkMask = r.Mark, r.MarkMask
		en.Set = en.Set.With(ctnetlink.AttrMark).With(ctnetlink.AttrMarkMask)
	}
	if r.protoGiven&(1<<poState|1<<poOrigVTag|1<<poReplyVTag) == 0 {
		return
	}
	info := r.Info
	switch info.Proto {
	case ctnetlink.ProtoTCP:
		setTCPFlags(&info)
	case ctnetlink.ProtoSCTP:
		// The kernel wants state and both tags: those not given stay.
		old, _ := f.ProtoInfo()
		if info.Has&ctnetlink.InfoState == 0 {
			info.State = old.State
		}
		if !r.protoGiven.has(poOrigVTag) {
			info.VTag[0] = old.VTag[0]
		}
		if !r.protoGiven.has(poReplyVTag) {
			info.VTag[1] = old.VTag[1]
		}
		info.Has |= ctnetlink.InfoState | ctnetlink.InfoVTags
	}
	en.ProtoInfo, en.Set = info, en.Set.With(ctnetlink.AttrProtoInfo)
}
