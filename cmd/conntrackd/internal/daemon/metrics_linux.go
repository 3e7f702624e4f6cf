package daemon

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/show"
)

// metrics serves the status as OpenMetrics text on a socket or a port. Its zero value
// serves nothing.
type metrics struct {
	mu     sync.Mutex
	server *http.Server
}

// openMetrics is the type of the text.
const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// serve serves on a path or ADDRESS:PORT, in place of what was served before; "" ends it.
func (m *metrics) serve(on string, d *daemon) error {
	m.close()
	if on == "" {
		return nil
	}
	network := "tcp"
	if strings.HasPrefix(on, "/") {
		network = "unix"
		if info, err := os.Lstat(on); err == nil && info.Mode().Type() == os.ModeSocket {
			os.Remove(on)
		}
	}
	l, err := net.Listen(network, on)
	if err != nil {
		return fmt.Errorf("can't serve metrics on %s: %s", on, reason(err))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", openMetrics)
		w.Write(show.AppendStatusProm(nil, d.status()))
	})
	s := &http.Server{
		Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 14,
	}
	m.mu.Lock()
	m.server = s
	m.mu.Unlock()
	go s.Serve(l)
	return nil
}

// served reports whether serve has done what it was told.
func (m *metrics) served(on string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return on == "" || m.server != nil
}

// close ends it, and removes the socket.
func (m *metrics) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.server != nil {
		m.server.Close()
		m.server = nil
	}
}
