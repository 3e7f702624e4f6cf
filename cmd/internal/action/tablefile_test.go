package action

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/snapshot"
	"github.com/gonntrack/gonntrack/internal/wire"
)

// writeUnknown writes a table file as other machines could have written it: with
// helpers in user space, and with attributes and states that this program does
// not know. Entries have the source ports from 1 on.
func writeUnknown(t *testing.T) (path string, entries int) {
	t.Helper()
	specs := []*ctnetlink.FlowSpec{}
	add := func(change func(*ctnetlink.FlowSpec)) {
		orig := entryTuple(uint16(len(specs) + 1))
		reply := orig
		reply.Src, reply.Dst, reply.SrcPort, reply.DstPort = orig.Dst, orig.Src, orig.DstPort, orig.SrcPort
		en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Timeout: 10 * time.Minute, Orig: orig, Reply: reply,
			Status: ctnetlink.StatusConfirmed, ID: uint32(len(specs) + 1)}
		change(en)
		for _, a := range []ctnetlink.Attr{ctnetlink.AttrTimeout, ctnetlink.AttrMark, ctnetlink.AttrStatus, ctnetlink.AttrID} {
			en.Set = en.Set.With(a)
		}
		specs = append(specs, en)
	}
	for _, helper := range []string{"mdns", "tns", "ftp", "cthelper-test"} {
		add(func(en *ctnetlink.FlowSpec) { en.Helper, en.Set = helper, en.Set.With(ctnetlink.AttrHelp) })
	}
	for _, state := range []ctnetlink.State{77, 255} {
		add(func(en *ctnetlink.FlowSpec) {
			en.Orig.Proto, en.Reply.Proto = ctnetlink.ProtoTCP, ctnetlink.ProtoTCP
			en.ProtoInfo = ctnetlink.ProtoInfo{Proto: ctnetlink.ProtoTCP, Has: ctnetlink.InfoState, State: state}
			en.Set = en.Set.With(ctnetlink.AttrProtoInfo)
		})
	}
	add(func(*ctnetlink.FlowSpec) {})
	var w snapshot.Writer
	b := w.AppendHeader(nil, snapshot.Header{Time: time.Now(), Serial: 1, Stopped: true})
	for i, en := range specs {
		m := wire.Builder{B: en.AppendMessage(nil)}
		if i == len(specs)-1 {
			m.U32(uint16(ctnetlink.AttrSecMark), 9)
			m.Bytes(99|wire.AttrNested, []byte{8, 0, 1, 0, 1, 2, 3, 4})
			m.End()
		}
		b = w.Append(b, m.B)
	}
	path = filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(path, w.AppendEnd(b), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, len(specs)
}

// TestUnknownContents: every command works on a table file with contents that
// this program does not know, and keeps them.
func TestUnknownContents(t *testing.T) {
	path, entries := writeUnknown(t)
	run := func(line string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		r, err := cmdline.ParseClassic(append(strings.Fields(line), "--table", path), console.NewMessages(&errs))
		if err == nil {
			err = Run(console.NewStreams(nil, &out, &errs), r)
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		return out.String(), errs.String()
	}
	lines := func(line string, want int) {
		t.Helper()
		if out, _ := run(line); strings.Count(out, "\n") != want {
			t.Errorf("%s: %d lines, want %d:\n%s", line, strings.Count(out, "\n"), want, out)
		}
	}
	before, _ := run("-L -o id,labels")
	for _, style := range []string{"json", "xml", "save", "csv", "table"} {
		run("-L -o " + style)
	}
	lines("-L", entries)
	if out, _ := run("-C"); out != "7\n" {
		t.Errorf("-C: %q", out)
	}
	run("-S")
	run("-L --by proto,helper")
	lines("-G -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 53", 1)
	run("-G --explain -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 3 --dport 53")
	lines("-D -s 10.0.0.1 --dry-run", entries)
	lines("-U -s 10.0.0.1 -m 5 --dry-run", entries)
	lines("-U -s 10.0.0.1 -m 5", entries)
	run("-I -p udp -s 10.0.0.9 -d 10.0.0.2 --sport 1 --dport 53 -t 100")
	lines("-D -s 10.0.0.9", 1)
	after, _ := run("-L -o id,labels")
	want := strings.ReplaceAll(strings.ReplaceAll(before, "mark=0", "mark=5"), " id=", " use=1 id=")
	if after != want {
		t.Errorf("after the changes:\n%s, want\n%s", after, want)
	}
	for _, want := range []string{"helper=mdns", "helper=tns", "helper=ftp", "helper=cthelper-test", "secmark=9"} {
		if !strings.Contains(after, want) {
			t.Errorf("%q is lost: %s", want, after)
		}
	}
	lines("-D -s 10.0.0.1", entries)
	run("-F")
	lines("-L", 0)
}
