package daemon

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// running is the daemon from the end of its start to its end.
func (d *daemon) running(ctx context.Context, signals <-chan os.Signal, b *background) int {
	os.Chdir("/")
	if err := d.fill(ctx); err != nil {
		d.log.error("can't dump the kernel's table: %s", err)
		d.log.error(cannotStart)
		return 1
	}
	d.log.notice("initialization completed")
	var parts sync.WaitGroup
	parts.Go(func() { d.follow(ctx) })
	if d.node != nil {
		parts.Go(func() { d.tick(ctx) })
	}
	go d.server.Serve()
	parts.Go(func() { d.watchdog(ctx) })
	if b != nil {
		d.log.notice("-- starting in daemon mode --")
		d.log.quiet()
		d.log.catchCrashes()
		b.started(d.config.Systemd)
	} else {
		d.log.notice("-- starting in console mode --")
		d.notify("MAINPID=%d\n"+systemd.SdNotifyReady, os.Getpid())
	}
	d.log.run()
	if d.node != nil && d.config.StartupResync {
		d.with(d.node.RequestResync)
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case s := <-signals:
			if s == syscall.SIGHUP {
				d.reload()
				continue
			}
			d.stop(errShutdown)
		}
	}
	status := 0
	if cause := context.Cause(ctx); cause == errShutdown {
		d.log.notice("%s", cause)
	} else {
		d.log.error("%s", cause)
		status = 1
	}
	d.notify(systemd.SdNotifyStopping)
	d.purge.cancel()
	parts.Wait()
	d.farewell()
	return status
}

// fill reads the kernel's table into the cache at the start. Nothing is sent of it.
func (d *daemon) fill(ctx context.Context) error {
	if d.node != nil && d.config.DisableInternalCache {
		return nil
	}
	return d.refresh(ctx, false)
}

// follow delivers the kernel's events, and begins anew when that fails.
func (d *daemon) follow(ctx context.Context) {
	for {
		err := d.table.Run(ctx)
		if ctx.Err() != nil {
			return
		}
		d.log.error("events of the kernel's table: %v", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// refresh reads the kernel's table into the internal cache: what is there and not in the
// table is removed. If tell is set, changes are sent to the peers.
func (d *daemon) refresh(ctx context.Context, tell bool) error {
	d.refreshes.Lock()
	defer d.refreshes.Unlock()
	losses := d.table.Stats().Overruns
	d.with(func() { d.beginRefresh(tell) })
	err := d.table.Dump(ctx, !tell)
	if err == nil && d.config.Expect {
		err = d.table.DumpExpect(ctx, !tell)
	}
	d.with(func() { d.endRefresh(err == nil) })
	if err == nil {
		d.repaired.Store(losses)
	}
	return err
}

func (d *daemon) beginRefresh(tell bool) {
	if d.stats != nil {
		d.stats.beginRefresh()
		return
	}
	d.node.BeginRefresh(tell)
}

func (d *daemon) endRefresh(whole bool) {
	switch {
	case d.stats != nil:
		d.stats.endRefresh(whole)
	case whole:
		d.node.EndRefresh()
	default:
		d.node.CancelRefresh()
	}
}

// Overrun has the cache read anew, since events were lost.
func (d *daemon) Overrun() {
	if err := d.refresh(d.ctx, true); err != nil {
		d.log.warning("resync after an overrun: %v", err)
	}
}

// farewell sends what waits.
func (d *daemon) farewell() {
	if d.node != nil {
		d.mu.Lock()
		d.node.Tick()
		d.mu.Unlock()
	}
}
