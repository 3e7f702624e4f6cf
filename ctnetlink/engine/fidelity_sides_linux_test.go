package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/ctnetlink/ruleset"
	"github.com/gonntrack/gonntrack/internal/netlab"
)

// kernelSide is the kernel's table.
type kernelSide struct {
	lab    *netlab.Lab
	before map[uint16]uint32 // counters at the beginning of a scenario
}

// empty empties the table and makes sure that it is empty.
func (k *kernelSide) empty() error {
	if _, err := k.lab.Collect(); err != nil {
		return err
	}
	n, err := k.count()
	if err != nil {
		return err
	}
	if n > 0 {
		for _, typ := range []uint16{expDelete, ctDelete} {
			if _, err := k.ask(message(typ, flagAck, 0, 0, nil)); err != nil {
				return err
			}
		}
		if n, err = k.count(); err != nil || n > 0 {
			return fmt.Errorf("%d entries in an empty table, %v", n, err)
		}
	}
	if _, err := k.lab.Collect(); err != nil {
		return err
	}
	var o outcome
	msgs, err := k.ask(message(ctGetStatsCPU, flagDump, 0, 0, nil))
	o.read(msgs, nil)
	k.before = o.stats
	return err
}

// count returns the number of entries.
func (k *kernelSide) count() (uint32, error) {
	msgs, err := k.ask(message(ctGetStats, 0, 0, 0, nil))
	if err != nil || len(msgs) != 1 {
		return 0, fmt.Errorf("statistics: %d answers, %v", len(msgs), err)
	}
	return binary.BigEndian.Uint32(find(msgs[0][20:], 1)), nil
}

// ask sends requests and returns what answers them.
func (k *kernelSide) ask(requests ...[]byte) (out [][]byte, err error) {
	for _, b := range requests {
		if err := k.lab.Conntrack().Send(b); err != nil {
			return nil, err
		}
		_, err := k.lab.Conntrack().Receive(func(m []byte) { out = append(out, bytes.Clone(m)) })
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// send puts the packet of a move into the kernel.
func (k *kernelSide) send(m move) (*outcome, error) {
	var s *netlab.Sent
	var err error
	if m.output {
		s, err = k.lab.Output(m.packet)
	} else {
		s, err = k.lab.Send(m.at, m.packet)
	}
	if err != nil {
		return nil, err
	}
	o := &outcome{state: "none", leaves: slices.Clone(s.Out), events: readEvents(s.Events)}
	for _, l := range s.Logs {
		switch {
		case l.Hook == "":
			o.why = append(o.why, withoutProtocol(l.Text))
		case l.Hook == "in" && m.output && destinationOf(l.Packet) == broadcast: // a copy of what is sent
		case l.Hook == "in":
			o.delivered = true
		default:
			o.state, o.reply = l.State, l.Reply
		}
	}
	if slices.ContainsFunc(o.why, func(s string) bool { return strings.Contains(s, "dropping packet") }) {
		o.delivered = false // a helper drops packets behind all chains
		o.why = o.why[:1]   // a verdict has the first reason
	}
	return o, nil
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// withoutProtocol returns the kernel's words without the "nf_ct_proto_6: " in
// front. Addresses are not compared.
func withoutProtocol(s string) string {
	if at := strings.Index(s, "outer daddr "); at >= 0 {
		s = s[:at] + "outer daddr"
	}
	if rest, ok := strings.CutPrefix(s, "nf_ct_proto_"); ok {
		if _, text, ok := strings.Cut(rest, ": "); ok {
			return strings.TrimSpace(text)
		}
	}
	return s
}

// engineSide is the engine's table.
type engineSide struct {
	t        *engine.Table
	clock    time.Time
	ct       ctnetlink.Socket
	listener ctnetlink.Socket
	buf      []byte
	choice   choice
}

func newEngineSide(set *setting, now time.Time) (*engineSide, error) {
	e := &engineSide{clock: now, buf: make([]byte, 64<<10)}
	o := engine.Options{
		Now: func() time.Time { return e.clock }, Accounting: true, AlwaysEvents: true,
		Sysctls: engine.DefaultSysctls(), Host: engine.Host{Router: true},
	}
	for _, a := range hostAddrs() {
		o.Host.Addrs = append(o.Host.Addrs, engine.Addr{Interface: a.iface, Prefix: a.prefix})
	}
	for _, v := range set.sysctls {
		switch v[0] {
		case "acct":
			o.Accounting = v[1] != "0"
		case "timestamp":
			o.Timestamps = v[1] != "0"
		case "events":
			o.AlwaysEvents, o.NoEvents = v[1] == "1", v[1] == "0"
		default:
			if known, err := o.Sysctls.Set(v[0], v[1]); err != nil || !known {
				return nil, fmt.Errorf("variable %s=%s: known %t, %v", v[0], v[1], known, err)
			}
		}
	}
	o.Draw = e.choice.draw
	var err error
	if set.rules != "" {
		if o.Rules, err = ruleset.Parse("rules", []byte(set.rules), ruleset.Options{Sysctls: o.Sysctls}); err != nil {
			return nil, err
		}
	}
	e.t = engine.New(o)
	if e.ct, err = e.dial(); err != nil {
		return nil, err
	}
	if e.listener, err = e.dial(); err != nil {
		return nil, err
	}
	for g := ctnetlink.GroupNew; g <= ctnetlink.GroupExpectDestroy; g++ {
		if err := e.listener.Join(g); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *engineSide) dial() (ctnetlink.Socket, error) {
	s, err := e.t.Dial()
	if err == nil {
		_, err = s.SetReadBuffer(8 << 20)
	}
	return s, err
}

// receive returns all messages that wait at a socket.
func (e *engineSide) receive(from ctnetlink.Socket) (out [][]byte, err error) {
	for {
		n, _, err := from.Poll(e.buf)
		if errno, ok := ctnetlink.AsErrno(err); ok && errno == ctnetlink.EAGAIN {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		for b := bytes.Clone(e.buf[:n]); len(b) >= 16; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < 16 || size > len(b) {
				return out, errors.New("the engine sent no message")
			}
			out = append(out, b[:size])
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

// ask sends requests and returns what answers them.
func (e *engineSide) ask(requests ...[]byte) (out [][]byte, err error) {
	for _, b := range requests {
		if err := e.ct.Send(b); err != nil {
			return nil, err
		}
		msgs, err := e.receive(e.ct)
		if err != nil {
			return nil, err
		}
		out = append(out, msgs...)
	}
	return out, nil
}

// events returns the events since the last call.
func (e *engineSide) events() ([]answer, error) {
	msgs, err := e.receive(e.listener)
	return readEvents(msgs), err
}

// send gives the packet of a move to the engine. entry is the message of the
// packet's entry if that is in the table.
func (e *engineSide) send(m move) (o *outcome, entry []byte, err error) {
	p := engine.Packet{Data: m.packet, Time: e.clock, In: m.at.String(), Out: (1 - m.at).String()}
	out := 1 - m.at
	if m.output {
		p.Where, p.In, p.Out, out = engine.Output, "", "b", netlab.B
	}
	v := e.t.Track(&p)
	o = &outcome{state: strings.ToLower(v.State.String()), delivered: v.Fate == engine.Delivered}
	switch v.State {
	case engine.StateNew, engine.StateEstablished, engine.StateRelated:
		o.reply = v.Reply
	}
	if !v.Entry.IsZero() && v.Confirmed {
		entry = v.Entry.Append(nil)
	}
	for _, b := range v.Leaves {
		o.leaves = append(o.leaves, netlab.Leaving{By: out, Data: bytes.Clone(b)})
	}
	if v.Reason.Code != engine.NoReason {
		o.detail = v.Reason.String()
		if text := string(v.Reason.AppendKernel(nil)); text != "" {
			o.why = append(o.why, text)
		}
		if text := string(v.Also.AppendKernel(nil)); text != "" {
			o.why = append(o.why, text)
		}
	}
	o.events, err = e.events()
	return o, entry, err
}
