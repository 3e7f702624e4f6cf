package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// deleteLinesRow runs a file whose lines name each entry of a table by its whole
// tuple, as -L -o save does, with -D in place of -A. The reference takes a walk of
// the table for each line, minutes for all: it is left out.
func (b *bench) deleteLinesRow() error {
	n := min(100_000, b.entries)
	return b.changeLines("-D", n, func(outcome) error { return b.left(0) })
}

// updateLinesRow marks each entry by a line.
func (b *bench) updateLinesRow() error {
	n := min(100_000, b.entries)
	return b.changeLines("-U -m 1", n, func(outcome) error { return b.marked(n) })
}

func (b *bench) changeLines(command string, n int, check func(outcome) error) error {
	file := b.file("lines")
	if err := writeNames(file, n, command); err != nil {
		return err
	}
	defer os.Remove(file)
	name, mark := "get and delete", "0"
	if command != "-D" {
		name, mark = "get, update and get", "1"
	}
	ours := b.ours("-R", file)
	limit := &contestant{argv: role("named", "-n", strconv.Itoa(n), "-mark", mark)}
	for _, c := range []*contestant{ours, limit} {
		c.prepare = b.refill(n)
	}
	if err := b.race(check, ours, limit); err != nil {
		return err
	}
	b.speed = append(b.speed, speedLine{
		work: fmt.Sprintf("-R, %s lines of %s", count(n), command),
		ours: ours.result(), limit: limit.result(), limitName: name,
		goals: []goal{atMost(2, name, ours.result(), limit.result())},
	})
	return nil
}

// marked checks that n entries have mark 1.
func (b *bench) marked(n int) error {
	have := 0
	for _, err := range b.table.Dump(&ctnetlink.DumpRequest{Mark: 1, MarkMask: 0xffffffff}) {
		if err != nil {
			return err
		}
		have++
	}
	if have != n {
		return fmt.Errorf("%d entries have the mark, not %d", have, n)
	}
	return nil
}

// writeNames writes a command for each of the first n TCP entries, with the whole
// tuples.
func writeNames(path string, n int, command string) error {
	var text bytes.Buffer
	for i := range n {
		en := tcpEntry(i)
		t := &en.Orig
		fmt.Fprintf(&text, "%s -p tcp -s %s -d %s -r %s -q %s --sport %d --dport %d --reply-port-src %d --reply-port-dst %d\n",
			command, t.Src, t.Dst, t.Dst, t.Src, t.SrcPort, t.DstPort, t.DstPort, t.SrcPort)
	}
	return os.WriteFile(path, text.Bytes(), 0o600)
}

// namedRole is the limit of such a file: named -n N [-mark N]. One request after
// the other, it gets each entry by its tuple, and deletes it by its tuple and id,
// or marks it and gets it again.
func namedRole(args []string) error {
	f := newRoleFlags("named")
	n := f.Int("n", 0, "entries")
	mark := f.Uint("mark", 0, "mark to set, instead of deleting")
	if err := f.Parse(args); err != nil {
		return err
	}
	s, err := openSocket()
	if err != nil {
		return err
	}
	defer s.close()
	l := &requests{sock: s, ans: make([]byte, bufferSize)}
	start := time.Now()
	for i := range *n {
		en := tcpEntry(i)
		l.msg = (&ctnetlink.FlowSpec{Orig: en.Orig}).AppendMessage(l.msg[:0])
		answer, err := l.ask(ctGet, 0)
		if err != nil {
			return fmt.Errorf("get entry %d: %w", i, err)
		}
		id := attribute(answer, ctaID)
		if id == nil {
			return errors.New("an entry without an id")
		}
		if *mark == 0 {
			l.msg = append(l.msg, id...)
			if _, err = l.ask(ctDelete, unix.NLM_F_ACK); err != nil {
				return fmt.Errorf("delete entry %d: %w", i, err)
			}
			continue
		}
		named := len(l.msg)
		l.msg = binary.NativeEndian.AppendUint16(l.msg, 8)
		l.msg = binary.NativeEndian.AppendUint16(l.msg, ctaMark)
		l.msg = binary.BigEndian.AppendUint32(l.msg, uint32(*mark))
		if _, err = l.ask(ctNew, unix.NLM_F_ACK); err == nil {
			l.msg = l.msg[:named]
			_, err = l.ask(ctGet, 0)
		}
		if err != nil {
			return fmt.Errorf("mark entry %d: %w", i, err)
		}
	}
	fmt.Println(*n, time.Since(start).Seconds())
	return nil
}

// requests are sent one by one.
type requests struct {
	sock     *socket
	msg, ans []byte
	seq      uint32
}

// ask sends the message and returns the first message of the answer.
func (l *requests) ask(typ, flags uint16) ([]byte, error) {
	l.seq++
	setHeader(l.msg, typ, flags|unix.NLM_F_REQUEST, l.seq)
	if err := l.sock.send(l.msg); err != nil {
		return nil, err
	}
	n, err := l.sock.receive(l.ans)
	if err != nil {
		return nil, err
	}
	msg, _ := cut(l.ans[:n])
	if msg != nil && msgType(msg) == unix.NLMSG_ERROR {
		return nil, msgError(msg)
	}
	return msg, nil
}
