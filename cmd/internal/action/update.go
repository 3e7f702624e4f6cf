package action

import (
	"errors"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// update changes the entries that match and prints each as it is after that.
func update(e *Env, r *cmdline.Request) error {
	w := e.Report.printer(e, r)
	if r.Has(cmdline.OptDryRun) {
		would := func(f *ctnetlink.Flow) bool { return changes(r, new(ctnetlink.FlowSpec), f) || countsUnchanged(r, f) }
		return changeMatching(e, r, w, &preview{w, would}, "reading", "%d flow entries would have been updated.")
	}
	if err := confirmAll(e, r); err != nil {
		return err
	}
	b, done := e.newBatch()
	defer done()
	u := &updating{printer: w}
	u.queue = queue[change]{request: r, batch: b, answered: u.note, done: u.show}
	again := newReread(e, r, u)
	defer again.close()
	return changeMatching(e, r, w, again, "updating", "%d flow entries have been updated.")
}

// updating changes entries in batches, and reads each changed entry back.
type updating struct {
	queue[change]
	printer *flowPrinter
	changed []change
	refusal firstRefusal
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
	if !changes(u.request, &en, f) {
		if !countsUnchanged(u.request, f) {
			return nil
		}
		u.batch.Get(&c.identity) // to show it
		return u.push(c)
	}
	c.labels, c.more = en.Set.Has(ctnetlink.AttrLabels), changesBesideLabels(u.request, f)
	u.batch.Update(&en)
	return u.push(c)
}

// note takes the answer to a change. An entry that vanished is passed over. The
// table sets labels last: when it has no room for them, everything else has been
// changed.
func (u *updating) note(c change, err error) error {
	noRoom := errors.Is(err, ctnetlink.ENOSPC) && c.labels
	switch {
	case err == nil || noRoom && c.more:
		u.changed = append(u.changed, c)
	case !noRoom:
		u.refusal.note(u.request, err)
	}
	return nil
}

// show reads the changed entries back and prints them. One whose place another
// took is passed over.
func (u *updating) show() error {
	changed := u.changed
	u.changed = u.changed[:0]
	for len(changed) > 0 {
		n := 0
		for ; n < len(changed) && !u.batch.Full(); n++ {
			u.batch.Get(&changed[n].identity)
		}
		results, err := u.batch.Do()
		for i, result := range results {
			en, f := &changed[i].identity, result.Flow
			switch {
			case f == nil && !errors.Is(result.Err, ctnetlink.ENOENT):
				if err == nil {
					err = result.Err
				}
			case f == nil || !identical(f, en):
				u.lost = true
			default:
				if err := u.printer.flow(f); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return refused(u.request, err)
		}
		changed = changed[n:]
	}
	return u.refusal.take()
}

// changes adds to en what the request changes in the entry f, and reports
// whether that is anything.
func changes(r *cmdline.Request, en *ctnetlink.FlowSpec, f *ctnetlink.Flow) bool {
	changed := changesBesideLabels(r, f)
	if changed {
		setChanges(r, en, f)
	}
	return setLabels(r, en, f) || changed
}

// setLabels adds to en the change of the labels of f, and reports whether there
// is one.
func setLabels(r *cmdline.Request, en *ctnetlink.FlowSpec, f *ctnetlink.Flow) bool {
	have, _ := f.Labels()
	switch {
	case r.Has(cmdline.OptLabelAdd):
		if have.ContainsAll(r.LabelAdd) {
			return false
		}
		en.Labels, en.LabelsMask = r.LabelAdd, r.LabelAdd
	case r.Has(cmdline.OptLabelDel) && r.LabelDel != nil:
		if !have.ContainsAny(r.LabelDel) {
			return false
		}
		en.Labels, en.LabelsMask = make([]byte, len(r.LabelDel)), r.LabelDel
	case r.Has(cmdline.OptLabelDel):
		if !have.ContainsAny(have) {
			return false
		}
		en.Labels, en.Set = ctnetlink.NewLabels(), en.Set.With(ctnetlink.AttrLabels)
		return true
	default:
		return false
	}
	en.Set = en.Set.With(ctnetlink.AttrLabels).With(ctnetlink.AttrLabelsMask)
	return true
}

// unsettable are the status bits that -u names and a request cannot set.
const unsettable = ctnetlink.StatusOffload | ctnetlink.StatusHWOffload

// countsUnchanged reports whether -U shows and counts the entry although nothing
// of it would change, as the classic command does: it always sends labels, unless
// they are to be removed and there are none, and it does not know which status
// bits the kernel ignores.
func countsUnchanged(r *cmdline.Request, f *ctnetlink.Flow) bool {
	if r.ByName {
		return false
	}
	status, _ := f.Status()
	return r.Has(cmdline.OptLabelAdd) || r.Has(cmdline.OptLabelDel) && f.Has(ctnetlink.AttrLabels) ||
		r.StatusSet&unsettable&^status != 0
}

// changesBesideLabels reports whether the request changes anything of the entry
// but its labels.
func changesBesideLabels(r *cmdline.Request, f *ctnetlink.Flow) bool {
	if timeout, ok := f.Timeout(); r.Has(cmdline.OptTimeout) && (!ok || timeout != timeoutOf(r)) {
		return true
	}
	if status, _ := f.Status(); r.StatusSet&^unsettable&^status != 0 {
		return true
	}
	if mark, _ := f.Mark(); r.Has(cmdline.OptMark) && mark&^r.MarkMask^r.Mark != mark {
		return true
	}
	if !changesInfo(r) {
		return false
	}
	info, _ := f.ProtoInfo()
	return r.Info.Has&ctnetlink.InfoState != 0 && info.State != r.Info.State ||
		r.HasProto(cmdline.ProtoOptOrigVTag) && info.VTag[0] != r.Info.VTag[0] ||
		r.HasProto(cmdline.ProtoOptReplyVTag) && info.VTag[1] != r.Info.VTag[1]
}

// changesInfo reports whether the request changes the protocol's state.
func changesInfo(r *cmdline.Request) bool {
	return r.HasProto(cmdline.ProtoOptState) || r.HasProto(cmdline.ProtoOptOrigVTag) ||
		r.HasProto(cmdline.ProtoOptReplyVTag)
}

// setChanges adds to en everything but the labels.
func setChanges(r *cmdline.Request, en *ctnetlink.FlowSpec, f *ctnetlink.Flow) {
	if r.Has(cmdline.OptTimeout) {
		en.Timeout, en.Set = timeoutOf(r), en.Set.With(ctnetlink.AttrTimeout)
	}
	if r.StatusSet != 0 {
		status, _ := f.Status()
		en.Status = status | r.StatusSet | ctnetlink.StatusConfirmed
		en.Set = en.Set.With(ctnetlink.AttrStatus)
	}
	if r.Has(cmdline.OptMark) {
		en.Mark, en.MarkMask = r.Mark, r.MarkMask
		en.Set = en.Set.With(ctnetlink.AttrMark).With(ctnetlink.AttrMarkMask)
	}
	if !changesInfo(r) {
		return
	}
	info := r.Info
	switch info.Proto {
	case ctnetlink.ProtoTCP:
		setTCPFlags(&info)
	case ctnetlink.ProtoSCTP:
		// The kernel requires the state and both tags: those not given keep their value.
		old, _ := f.ProtoInfo()
		if info.Has&ctnetlink.InfoState == 0 {
			info.State = old.State
		}
		if !r.HasProto(cmdline.ProtoOptOrigVTag) {
			info.VTag[0] = old.VTag[0]
		}
		if !r.HasProto(cmdline.ProtoOptReplyVTag) {
			info.VTag[1] = old.VTag[1]
		}
		info.Has |= ctnetlink.InfoState | ctnetlink.InfoVTags
	}
	en.ProtoInfo, en.Set = info, en.Set.With(ctnetlink.AttrProtoInfo)
}
