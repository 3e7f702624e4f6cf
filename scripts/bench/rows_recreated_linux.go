package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

const (
	recreatedEntries = 2000
	recreatedFor     = 5 * time.Second
	wantedMark       = 1
)

// recreateRole is a process that deletes entries and makes them again, under two
// marks in turn: recreate -for DURATION.
func recreateRole(args []string) error {
	f := newRoleFlags("recreate")
	long := f.Duration("for", recreatedFor, "how long")
	if err := f.Parse(args); err != nil {
		return err
	}
	c := ctnetlink.Open()
	defer c.Close()
	for round, start := 0, time.Now(); time.Since(start) < *long; round++ {
		for i := range recreatedEntries {
			en := tcpEntry(i)
			err := c.Delete(&ctnetlink.FlowSpec{Orig: en.Orig})
			if err != nil && !errors.Is(err, ctnetlink.ENOENT) {
				return err
			}
			en.SetMark(wantedMark+uint32(round+i)%2, 0xffffffff)
			if err := c.Create(&en); err != nil {
				return err
			}
		}
	}
	return nil
}

// recreatedRow is how many of the entries that -D -m 1 deletes have another mark,
// because they took the place of one that was listed.
func (b *bench) recreatedRow() error {
	for _, w := range b.watchers("-D", "-m", fmt.Sprint(wantedMark)) {
		right, wrong, err := b.recreated(w.argv)
		if err != nil {
			return err
		}
		b.note("`-D -m 1`, %s, while %s entries are deleted and made again under two marks: %s deleted, %.2f %% of them had the other mark.",
			w.name, count(recreatedEntries), count(right+wrong), 100*float64(wrong)/float64(max(1, right+wrong)))
	}
	return nil
}

// recreated runs a command again and again while entries are made again, and
// counts those that it deletes by their mark.
func (b *bench) recreated(argv []string) (right, wrong int, err error) {
	if err := b.flush(); err != nil {
		return 0, 0, err
	}
	events, err := b.table.Subscribe(context.Background(), ctnetlink.ListenRequest{
		Groups: []ctnetlink.Group{ctnetlink.GroupNew, ctnetlink.GroupDestroy},
	})
	if err != nil {
		return 0, 0, err
	}
	var counting sync.WaitGroup
	var failed error
	counting.Go(func() {
		recreating := uint32(0) // the port id of the other process
		for e, err := range events.All() {
			switch {
			case err != nil:
				failed = err
				return
			case e.Type == ctnetlink.EventNew:
				recreating = e.PortID()
			case e.PortID() == 0 || e.PortID() == recreating:
			default:
				if mark, _ := e.Flow.Mark(); mark == wantedMark {
					right++
				} else {
					wrong++
				}
			}
		}
	})
	recreating := command(context.Background(), role("recreate", "-for", recreatedFor.String()))
	err = recreating.Start()
	if err == nil {
		for start := time.Now(); time.Since(start) < recreatedFor-500*time.Millisecond; {
			ran := command(context.Background(), argv).Run()
			if exit := (*exec.ExitError)(nil); ran != nil && !errors.As(ran, &exit) {
				err = ran
				break // exit status 1: nothing was found
			}
		}
		err = errors.Join(err, recreating.Wait())
	}
	_ = events.Close() // ends the counting; the socket is not used again
	counting.Wait()
	return right, wrong, errors.Join(err, failed)
}
