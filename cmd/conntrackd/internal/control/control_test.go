package control

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// serve starts a server that ends with the test.
func serve(t testing.TB, h Handler) (*Server, string) {
	path := filepath.Join(t.TempDir(), "ctl")
	s, err := Listen(path, h)
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve()
	t.Cleanup(func() {
		s.Close(time.Now())
		s.Wait(testwait.Scale(10 * time.Second))
	})
	return s, path
}

func dial(t testing.TB, path string) net.Conn {
	t.Helper()
	conn, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(testwait.Scale(20 * time.Second)))
	return conn
}

func TestDo(t *testing.T) {
	_, path := serve(t, func(r Request, w io.Writer) {
		switch r {
		case Stats:
			fmt.Fprint(w, "two\nlines\n")
		case Status:
			fmt.Fprint(w, "1\nnot ready\n")
		case StatusJSON:
			fmt.Fprint(w, "0\n")
		case Diff:
			fmt.Fprint(w, "text without a status\n")
		case StatusProm:
			fmt.Fprint(w, "256\n")
		}
	})
	for _, c := range []struct {
		r      Request
		status int
		out    string
		err    error
	}{
		{Stats, 0, "two\nlines\n", nil}, {Bulk, 0, "", nil}, {Status, 1, "not ready\n", nil}, {StatusJSON, 0, "", nil},
		{Demote, 2, "", ErrNoAnswer}, {Diff, 2, "", ErrNoAnswer}, {StatusProm, 2, "", ErrNoAnswer},
	} {
		var out bytes.Buffer
		status, err := Do(dial(t, path), c.r, &out)
		if status != c.status || out.String() != c.out || !errors.Is(err, c.err) {
			t.Errorf("%d: %d, %q, %v, want %d, %q, %v", c.r, status, &out, err, c.status, c.out, c.err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestListen takes the place of a socket that was left, and not of a file.
func TestListen(t *testing.T) {
	s, path := serve(t, func(Request, io.Writer) {})
	second, err := Listen(path, func(Request, io.Writer) {})
	if err != nil {
		t.Fatal(err)
	}
	second.Close(time.Now())
	s.Close(time.Now())
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if third, err := Listen(path, nil); err == nil {
		third.Close(time.Now())
		t.Error("the place of a file was taken")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("the file is gone")
	}
}

// TestClose lets a client go that does not read, and returns.
func TestClose(t *testing.T) {
	begun := make(chan struct{})
	s, path := serve(t, func(_ Request, w io.Writer) {
		close(begun)
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	conn := dial(t, path)
	conn.Write(make([]byte, 4))
	<-begun
	s.Close(time.Now())
	s.Wait(testwait.Scale(20 * time.Second))
	if _, err := Dial(path); err == nil {
		t.Error("a client was let in after the end")
	}
	io.Copy(io.Discard, conn)
}

// FuzzServer sends bytes: there is an answer, of the number that they begin with.
func FuzzServer(f *testing.F) {
	for _, b := range [][]byte{{16, 0, 0, 0}, {1}, {255, 255, 255, 255, 0}, bytes.Repeat([]byte{20}, 9)} {
		f.Add(b)
	}
	_, path := serve(f, func(r Request, w io.Writer) { fmt.Fprintf(w, "%d\n", r) })
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		conn := dial(t, path)
		conn.Write(b)
		conn.(*net.UnixConn).CloseWrite()
		got, err := io.ReadAll(conn)
		if len(b) > 4 && err != nil {
			return // reset: the rest was not read
		}
		var number [4]byte
		copy(number[:], b)
		want := fmt.Sprintln(binary.NativeEndian.Uint32(number[:]))
		if len(b) == 0 {
			want = ""
		}
		if err != nil || string(got) != want {
			t.Errorf("%v: %q, %v, want %q", b, got, err, want)
		}
	})
}

// FuzzDo has a client read any answer.
func FuzzDo(f *testing.F) {
	for _, s := range []string{"", "0\n", "1\ntext\n", "-1\n", "99999999999\n", "x"} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, answer []byte, own bool) {
		client, server := net.Pipe()
		go func() {
			io.ReadFull(server, make([]byte, 4))
			server.Write(answer)
			server.Close()
		}()
		r := Stats
		if own {
			r = Status
		}
		var out bytes.Buffer
		status, err := Do(client, r, &out)
		client.Close()
		switch {
		case status < 0 || status > 255:
			t.Errorf("status %d", status)
		case !own && (status != 0 || err != nil || !bytes.Equal(out.Bytes(), answer)):
			t.Errorf("%d, %v, %q, want %q", status, err, &out, answer)
		}
	})
}

// TestClosedPipe has an answer go to a pipe that nobody reads: the program ends as filters
// do, and splice(2), which does not end it, is not called.
func TestClosedPipe(t *testing.T) {
	if path := os.Getenv("CONTROL_PIPE"); path != "" {
		conn := dial(t, path)
		defer conn.Close()
		Do(conn, DumpInternal, os.Stdout)
		os.Exit(3) // not reached
	}
	_, path := serve(t, func(_ Request, w io.Writer) {
		for range 100 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	c := exec.Command(os.Args[0], "-test.run=^TestClosedPipe$")
	c.Env = append(os.Environ(), "CONTROL_PIPE="+path)
	c.Stdout = w
	err = c.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("a client whose output nobody reads ended with %v, not by a signal", err)
	}
}
