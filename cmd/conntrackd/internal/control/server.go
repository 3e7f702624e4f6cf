package control

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Limits of a server: a client that says nothing, or that does not read, holds one of
// its places for so long and stops nobody else.
const (
	maxClients   = 64
	readTimeout  = 10 * time.Second
	restTimeout  = time.Second // for the rest of a number that has begun
	writeTimeout = 60 * time.Second
)

// Handler answers a request: what it writes goes to the client. It is called by a
// goroutine of its own for each client. An error of w says that the client is gone.
type Handler func(r Request, w io.Writer)

// Server is a control socket.
type Server struct {
	listener *net.UnixListener
	handler  Handler
	places   chan struct{}
	done     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

// Listen makes the socket and removes what is left of an old one. An empty path is an
// address that the kernel chooses and nobody finds, as conntrack-tools does it.
// The mode of the socket's file is 0600, whatever the umask is.
func Listen(path string, handler Handler) (*Server, error) {
	if path != "" {
		if err := removeStale(path); err != nil {
			return nil, err
		}
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if path != "" {
		if err := os.Chmod(path, 0o600); err != nil {
			l.Close()
			return nil, err
		}
	}
	return &Server{
		listener: l, handler: handler,
		places: make(chan struct{}, maxClients), conns: map[net.Conn]struct{}{},
	}, nil
}

// removeStale removes the socket at path, if there is one. It leaves any other file, so
// that listening fails.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Serve answers clients until the server is closed.
func (s *Server) Serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(100 * time.Millisecond) // no descriptors left, for example
			continue
		}
		s.places <- struct{}{}
		if !s.add(conn) {
			conn.Close()
			return
		}
		go func() {
			defer s.remove(conn)
			s.answer(conn)
		}()
	}
}

func (s *Server) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.done.Add(1)
	s.conns[conn] = struct{}{}
	return true
}

func (s *Server) remove(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
	<-s.places
	s.done.Done()
}

// answer reads the number of a request and answers it.
func (s *Server) answer(conn net.Conn) {
	r, ok := readRequest(conn)
	if !ok {
		return
	}
	s.handler(r, &writer{s, conn})
}

// readRequest reads a number. What is missing of one that has begun is zero.
func readRequest(conn net.Conn) (Request, bool) {
	var number [4]byte
	conn.SetReadDeadline(time.Now().Add(readTimeout))
	n, err := conn.Read(number[:])
	if n == 0 || err != nil {
		return 0, false
	}
	conn.SetReadDeadline(time.Now().Add(restTimeout))
	io.ReadFull(conn, number[n:])
	return Request(binary.NativeEndian.Uint32(number[:])), true
}

// writer writes to a client that reads, and gives up with one that does not.
type writer struct {
	server *Server
	conn   net.Conn
}

func (w *writer) Write(p []byte) (int, error) {
	w.server.extend(w.conn)
	return w.conn.Write(p)
}

// extend gives a client time for the next part of its answer, unless the server ends.
func (s *Server) extend(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
}

// Close ends the server: the socket is removed, and no more clients are let in. Those that
// are served have until the deadline; Wait waits for them.
func (s *Server) Close(deadline time.Time) {
	s.listener.Close() // removes the file as well
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for conn := range s.conns {
		conn.SetDeadline(deadline)
	}
}

// Wait waits until the clients of a closed server are served, but not for longer than
// limit.
func (s *Server) Wait(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		s.done.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}
