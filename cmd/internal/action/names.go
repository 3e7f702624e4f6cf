package action

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// hostNames finds the names of addresses, for format.Options.HostNames: what the
// system's resolver answers, /etc/hosts and DNS. Each address is asked for once. How
// many are asked for, how many at a time, and how long a table waits are bounded.
type hostNames struct {
	lookup func(context.Context, string) ([]string, error)

	mu      sync.Mutex
	changed sync.Cond
	names   map[netip.Addr]string // "": not known, or not yet
	queue   []netip.Addr
	workers int       // that look up names
	limit   time.Time // until when Wait waits
	forgets bool      // names are forgotten when there are maxHostNames
}

const (
	maxHostNames    = 10000
	maxHostLookups  = 32
	hostNamesWait   = 2 * time.Second // of one run, or of one look of --watch
	hostNameTimeout = 5 * time.Second
)

func newHostNames() *hostNames {
	h := &hostNames{lookup: net.DefaultResolver.LookupAddr, names: map[netip.Addr]string{}}
	h.changed.L = &h.mu
	return h
}

// begin allows Wait to wait again, for as long as a run may.
func (h *hostNames) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.limit = time.Now().Add(hostNamesWait)
}

// Want asks for a name.
func (h *hostNames) Want(a netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.names[a]; known || !a.IsValid() {
		return
	}
	if len(h.names) >= maxHostNames {
		if !h.forgets || h.workers > 0 {
			return
		}
		clear(h.names)
	}
	h.names[a] = ""
	h.queue = append(h.queue, a)
	if h.workers < maxHostLookups {
		h.workers++
		go h.work()
	}
}

// work looks up names until the queue is empty.
func (h *hostNames) work() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.queue) > 0 {
		a := h.queue[0]
		h.queue = h.queue[1:]
		h.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), hostNameTimeout)
		found, err := h.lookup(ctx, a.String())
		cancel()
		h.mu.Lock()
		if err == nil && len(found) > 0 {
			h.names[a] = strings.TrimSuffix(found[0], ".")
		}
	}
	h.workers--
	h.changed.Broadcast()
}

// Wait waits until all names that were asked for have been looked up, or the time is
// over.
func (h *hostNames) Wait() {
	h.mu.Lock()
	defer h.mu.Unlock()
	timer := time.AfterFunc(time.Until(h.limit), h.changed.Broadcast)
	defer timer.Stop()
	for h.workers > 0 && time.Now().Before(h.limit) {
		h.changed.Wait()
	}
}

// Name returns the name of an address, "" if it is not known.
func (h *hostNames) Name(a netip.Addr) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.names[a]
}

// serviceNames returns the function for format.Options.ServiceName: the first name of
// each port in /etc/services. UDP-Lite has the services of UDP (RFC 3828).
func serviceNames() func(ctnetlink.Protocol, uint16) string {
	type service struct {
		proto string // "": the first line of the port
		port  uint16
	}
	names := map[service]string{}
	add := func(s service, name string) {
		if _, ok := names[s]; !ok {
			names[s] = name
		}
	}
	for s := range cmdline.Services() {
		add(service{s.Protocol, s.Port}, s.Name)
		add(service{"", s.Port}, s.Name)
	}
	return func(proto ctnetlink.Protocol, port uint16) string {
		if proto == ctnetlink.ProtoUDPLite {
			proto = ctnetlink.ProtoUDP
		}
		return names[service{proto.Name(), port}]
	}
}

// chooseNames sets the names that the request wants in its tables. Those of hosts are
// kept from one look at the table to the next.
func chooseNames(r *cmdline.Request) {
	if r.Has(cmdline.OptNames) {
		names, ok := r.Output.HostNames.(*hostNames)
		if !ok {
			names = newHostNames()
			r.Output.HostNames = names
		}
		names.begin()
	}
	if r.Has(cmdline.OptServices) && r.Output.ServiceName == nil {
		r.Output.ServiceName = serviceNames()
	}
}
