package daemon

import (
	"context"
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// notify tells systemd something, unless Systemd is off or it did not start us.
func (d *daemon) notify(form string, args ...any) {
	if d.config.Systemd {
		systemd.SdNotify(false, fmt.Sprintf(form, args...))
	}
}

// watchdog tells systemd that the daemon lives, twice as often as it wants to hear it:
// that is, that the main lock can be had.
func (d *daemon) watchdog(ctx context.Context) {
	every, err := systemd.SdWatchdogEnabled(false)
	if !d.config.Systemd || err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(max(every/2, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.mu.Lock() // it is there again, or systemd hears nothing
			d.mu.Unlock()
			d.notify(systemd.SdNotifyWatchdog)
		}
	}
}
