package daemon

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// TestRudeCollectors: clients of the metrics that say nothing, too much, or read nothing
// keep no other out, and no more than a few connections stay.
func TestRudeCollectors(t *testing.T) {
	namespace(t)
	f := configure(t, syncSection, "Metrics DIR/metrics\n")
	f.start(t, false)
	dial := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("unix", f.dir+"/metrics")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		return conn
	}
	const get = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
	served := func(when string) {
		t.Helper()
		conn := dial()
		fmt.Fprint(conn, get)
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		defer r.Body.Close()
		if b, err := io.ReadAll(r.Body); r.StatusCode != 200 || err != nil || !strings.HasSuffix(string(b), "# EOF\n") {
			t.Errorf("%s: %v, %v", when, r.Status, err)
		}
	}
	served("before")

	// Silent ones, half a request, and ones that ask for much and read nothing.
	var rude []net.Conn
	for i := range 5 * metricsConns {
		conn := dial()
		switch i % 3 {
		case 1:
			fmt.Fprint(conn, "GET /metr")
		case 2:
			conn.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
			for range 100 {
				if _, err := io.WriteString(conn, strings.Repeat(get, 20)); err != nil {
					break
				}
			}
		}
		rude = append(rude, conn)
		if i%20 == 19 {
			served(fmt.Sprint("beside ", i+1))
		}
	}
	closed := 0
	if !testwait.For(5*time.Second, func() bool {
		closed = 0
		for _, conn := range rude {
			conn.SetWriteDeadline(time.Now().Add(time.Millisecond))
			if _, err := io.WriteString(conn, "X"); err != nil && !isTimeout(err) {
				closed++
			}
		}
		return closed >= len(rude)-metricsConns
	}) {
		t.Errorf("%d of %d connections were closed", closed, len(rude))
	}

	// A header without end.
	conn := dial()
	fmt.Fprint(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ")
	sent := 0
	for sent < 1<<20 {
		n, err := io.WriteString(conn, strings.Repeat("x", 1<<10))
		if sent += n; err != nil {
			break
		}
	}
	if sent >= 1<<20 {
		t.Errorf("%d bytes of a header are taken", sent)
	}
	served("after")
	// Another path, another method.
	for _, request := range []string{"GET / HTTP/1.0\r\n\r\n", "DELETE /metrics HTTP/1.0\r\n\r\n", "\x00\xff\r\n\r\n"} {
		conn := dial()
		fmt.Fprint(conn, request)
		if r, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || r.StatusCode < 400 {
			t.Errorf("%q: %v, %v", request, r, err)
		}
	}
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}
