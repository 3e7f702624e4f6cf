package daemon

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
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

const (
	// metricsConns is how many connections there are at a time, metricsHeader how long the
	// header of a request is at most: some more is read before it is refused.
	metricsConns  = 16
	metricsHeader = 4 << 10
	// metricsTime is how long reading a request and writing the answer may take each,
	// metricsIdle how long a connection waits for another request.
	metricsTime = 10 * time.Second
	metricsIdle = time.Minute
	// metricsKeep is for how long a text is served again.
	metricsKeep = 100 * time.Millisecond
)

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
	text := metricsText{d: d}
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", openMetrics)
		w.Write(text.now())
	})
	s := &http.Server{
		Handler: mux, ReadTimeout: metricsTime, WriteTimeout: metricsTime, IdleTimeout: metricsIdle,
		MaxHeaderBytes: metricsHeader, ErrorLog: log.New(io.Discard, "", 0),
	}
	m.mu.Lock()
	m.server = s
	m.mu.Unlock()
	go s.Serve(&fewConns{Listener: l})
	return nil
}

// metricsText is the text, which is made anew if it is older than metricsKeep.
type metricsText struct {
	d    *daemon
	mu   sync.Mutex
	text []byte
	made time.Time
}

func (m *metricsText) now() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.text == nil || time.Since(m.made) >= metricsKeep {
		m.text, m.made = show.AppendStatusProm(nil, m.d.status()), time.Now()
	}
	return m.text
}

// fewConns is a listener with at most metricsConns connections. The oldest is closed for
// a new one, so that clients that say nothing keep no other out.
type fewConns struct {
	net.Listener
	mu    sync.Mutex
	conns []*fewConn
}

// fewConn is a connection of a fewConns.
type fewConn struct {
	net.Conn
	of *fewConns
}

func (l *fewConns) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= metricsConns {
		l.conns[0].Conn.Close()
		l.conns = slices.Delete(l.conns, 0, 1)
	}
	conn := &fewConn{c, l}
	l.conns = append(l.conns, conn)
	return conn, nil
}

func (c *fewConn) Close() error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if i := slices.Index(c.of.conns, c); i >= 0 {
		c.of.conns = slices.Delete(c.of.conns, i, i+1)
	}
	return c.Conn.Close()
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
