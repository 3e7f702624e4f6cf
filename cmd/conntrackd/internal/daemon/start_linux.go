package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/kernel"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/link"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
)

// cannotStart is the last line of a start that failed after the lock file was made.
const cannotStart = "conntrackd cannot start, please review your configuration"

// errShutdown is why a daemon ends that was told to.
var errShutdown = errors.New("---- shutdown received ----")

// gcPercent is by how much the heap may grow between two collections. Most of it is the
// caches, which have no pointers, so that a collection is cheap: one that comes early saves
// more memory than it takes time. The variable GOGC in the environment goes before it.
const gcPercent = 25

// run starts the daemon, waits for its end and returns the exit status. b is nil in the
// foreground. The order is: configuration, log files, lock file, scheduler, control
// socket, links, kernel.
func run(path string, log *logger, b *background) int {
	c := read(path, log)
	if c == nil {
		return 1
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if err := log.open(c); err != nil {
		log.bare(err.Error())
		return 1
	}
	if b != nil {
		// Messages go to the log only; the terminal gets them if the start fails.
		terminal, kept := log.stderr, new(bytes.Buffer)
		log.stdout, log.stderr = nil, kept
		defer func() {
			if !b.done {
				kept.WriteTo(terminal)
			}
		}()
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full // HUP reads it again, from another directory
	}
	d := &daemon{
		config: c, path: path, log: log, begun: time.Now(),
		kick: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if c.Mode == config.Stats {
		s, err := newStatistics(c, log)
		if err != nil {
			log.bare(err.Error())
			return 1
		}
		d.stats = s
		defer s.out.close()
	}
	lock, stale, err := takeLock(c.LockFile, c.Socket)
	if err != nil {
		log.error("%s", err)
		return 1
	}
	if stale {
		log.warning("lockfile `%s' was left by a daemon that is gone: taken over", c.LockFile)
	}
	status := d.locked(b)
	lock.release()
	close(d.ended)
	if d.server != nil {
		d.server.Wait(goodbye) // of -k, too
	}
	log.close()
	return status
}

// goodbye is how long clients have to read the rest of their answers at the end.
const goodbye = time.Second

// locked goes on with the start once the lock file is held.
func (d *daemon) locked(b *background) int {
	if s := d.config.Scheduler; s != nil {
		if err := schedule(s); err != nil {
			d.log.warning("scheduler configuration failed: %s. Likely a bug in conntrackd, please report it. "+
				"Continuing with system default scheduler.", reason(err))
		}
	}
	for _, m := range d.config.Starting() {
		d.log.log(m.Level, m.Text)
	}
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	d.ctx, d.stop = ctx, stop
	// A signal that comes before the end of the start waits for it.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	server, err := control.Listen(d.config.Socket, func(r control.Request, w io.Writer) { d.answer(ctx, r, w) })
	if err != nil {
		d.log.error("can't open unix socket!")
		d.log.error(cannotStart)
		return 1
	}
	d.server = server
	defer func() { server.Close(time.Now().Add(goodbye)) }()
	if err := d.open(); err != nil {
		d.log.error("%s", err)
		d.log.error(cannotStart)
		return 1
	}
	defer d.close()
	d.announce()
	if err := d.metrics.serve(d.config.MetricsOn, d); err != nil {
		d.log.error("%s", err)
		d.log.error(cannotStart)
		return 1
	}
	defer d.metrics.close()
	return d.running(ctx, signals, b)
}

// silentLink is for how long nothing may be heard on a link, on which something was heard,
// until another one is tried. Nodes send something each second.
const silentLink = 3 * time.Second

// open opens the links and the kernel's table.
func (d *daemon) open() error {
	err := d.openLocked()
	if err != nil && d.links != nil {
		d.links.Close() // without the main lock, which what they call takes
	}
	return err
}

// openLocked is open with the main lock, for which what the links receive waits. Without a
// table, that is dropped.
func (d *daemon) openLocked() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.config
	if c.Mode == config.Stats {
		table, err := kernel.Open(c, d)
		d.table = table
		return err
	}
	var key []byte
	if c.KeyFile != "" {
		var err error
		if key, err = config.ReadKey(c.KeyFile); err != nil {
			return err
		}
	}
	var err error
	var silence time.Duration
	if c.Mode != config.Alarm { // whose nodes may have nothing to say
		silence = silentLink
	}
	d.links, err = link.Open(link.Options{
		Links: c.Links, ErrorQueue: c.ErrorQueueLength, Key: key, Encrypt: c.Encrypt, Silence: silence, Handler: d,
	})
	if err != nil {
		d.log.error("%s", err)
		return errors.New("initialization failed")
	}
	d.node = node.New(node.Options{
		Config: c, Link: d.links, Inject: d, Source: source{d},
		Name: hostname(), Now: time.Now, Log: d.log.log,
	})
	d.table, err = kernel.Open(c, d)
	return err
}

// announce says how the daemon follows the kernel's table, in the lines that people look
// for.
func (d *daemon) announce() {
	c := d.config
	if c.DisableInternalCache {
		d.log.notice("disabling internal cache")
	}
	if c.DisableExternalCache {
		d.log.notice("disabling external cache")
	}
	if c.Poll > 0 {
		d.log.notice("running in polling mode")
		return
	}
	if c.EventsReliable {
		d.log.notice("reliable ctnetlink event delivery is ENABLED.")
	}
	f := c.Filter
	switch filtered := f.Protocols != nil || f.Addresses != nil || f.States != nil; {
	case filtered && c.KernelFilter:
		d.log.notice("using kernel-space event filtering")
	case filtered:
		d.log.notice("using user-space event filtering")
	}
	if c.NetlinkBuffer == 0 {
		d.log.notice("NetlinkBufferSize is either not set or is greater than NetlinkBufferSizeMaxGrowth. " +
			"Using current system buffer size")
	}
	d.log.notice("netlink event socket buffer size has been set to %d bytes", d.table.Stats().Buffer)
}

// hostname returns what peers call this node.
func hostname() string {
	name, _ := os.Hostname()
	return name
}

func (d *daemon) close() {
	if d.links != nil {
		d.links.Close()
	}
	d.table.Close()
}
