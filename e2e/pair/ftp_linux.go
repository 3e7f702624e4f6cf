package pair

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// ftpSessions are sessions of active FTP: the server connects to a port that the client
// has named, and the firewall translates what the client says of it, which changes the
// length of the stream.
type ftpSessions struct {
	lab      *Lab
	listener net.Listener
	stream   *ftpSession // with a data connection that is open all the time
	data     net.Conn
	waiting  *ftpSession // that has named a port which the server has not connected to yet
	port     net.Listener
}

// ftpSession is a client's end.
type ftpSession struct {
	lab  *Lab
	conn net.Conn
	text *textproto.Conn
}

const ftpPatience = 10 * time.Second

// serveFTP serves one control connection.
func serveFTP(l *Lab, c net.Conn) {
	defer c.Close()
	in := bufio.NewScanner(c)
	fmt.Fprint(c, "220 ready\r\n")
	var to string
	for in.Scan() {
		word, rest, _ := strings.Cut(strings.TrimSpace(in.Text()), " ")
		switch word {
		case "PORT":
			var a [6]int
			if _, err := fmt.Sscanf(strings.ReplaceAll(rest, ",", " "), "%d %d %d %d %d %d",
				&a[0], &a[1], &a[2], &a[3], &a[4], &a[5]); err != nil {
				fmt.Fprintf(c, "501 %v\r\n", err)
				continue
			}
			to = fmt.Sprintf("%d.%d.%d.%d:%d", a[0], a[1], a[2], a[3], a[4]<<8|a[5])
			fmt.Fprint(c, "200 port\r\n")
		case "LIST", "RETR": // RETR goes on until the client has enough
			d, err := l.Server.Dial("tcp", "", to, testwait.Scale(ftpPatience))
			if err != nil {
				fmt.Fprintf(c, "425 %v\r\n", err)
				continue
			}
			fmt.Fprint(c, "150 here it comes\r\n")
			go func() {
				defer d.Close()
				if word == "LIST" {
					fmt.Fprint(d, "file\n")
					return
				}
				io.Copy(d, d)
			}()
		default:
			fmt.Fprint(c, "200 yes\r\n")
		}
	}
}

func newFTPSessions(l *Lab) *ftpSessions {
	l.t.Helper()
	s := &ftpSessions{lab: l, listener: l.Server.Listen("tcp4", ":21")}
	go func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			go serveFTP(l, c)
		}
	}()
	err := s.begin()
	if err != nil {
		l.t.Fatalf("FTP: %v", err)
	}
	return s
}

func (s *ftpSessions) begin() (err error) {
	if s.stream, err = newFTPSession(s.lab); err != nil {
		return err
	}
	p, err := s.stream.port()
	if err != nil {
		return err
	}
	defer p.Close()
	if err := s.stream.say("RETR data", 150); err != nil {
		return err
	}
	if s.data, err = accept(p); err != nil {
		return err
	}
	if err := s.echo(); err != nil {
		return err
	}
	if s.waiting, err = newFTPSession(s.lab); err != nil {
		return err
	}
	if err := s.waiting.list(); err != nil {
		return err
	}
	s.port, err = s.waiting.port()
	return err
}

// goOn checks that all goes on: the data connection, the port that waits, control
// connections, and new data connections. It returns the first error.
func (s *ftpSessions) goOn() error {
	for _, check := range []struct {
		what string
		do   func() error
	}{
		{"data connection", s.echo},
		{"control connection", func() error { return s.stream.say("NOOP", 200) }},
		{"expected connection", func() error { return s.waiting.receive(s.port) }},
		{"new data connection", s.waiting.list},
		{"new data connection beside another", s.stream.list},
	} {
		if err := check.do(); err != nil {
			return fmt.Errorf("%s: %w", check.what, err)
		}
	}
	return nil
}

func (s *ftpSessions) close() {
	s.listener.Close()
	for _, c := range []io.Closer{s.data, s.port, s.stream.conn, s.waiting.conn} {
		c.Close()
	}
}

// echo has bytes come back by the data connection.
func (s *ftpSessions) echo() error {
	s.data.SetDeadline(time.Now().Add(testwait.Scale(ftpPatience)))
	if _, err := io.WriteString(s.data, "data"); err != nil {
		return err
	}
	_, err := io.ReadFull(s.data, make([]byte, 4))
	return err
}

func newFTPSession(l *Lab) (*ftpSession, error) {
	c, err := l.Client.Dial("tcp4", "", net.JoinHostPort(ServerV4, "21"), testwait.Scale(ftpPatience))
	if err != nil {
		return nil, err
	}
	s := &ftpSession{lab: l, conn: c, text: textproto.NewConn(c)}
	return s, s.answer(220)
}

func (s *ftpSession) answer(code int) error {
	s.conn.SetDeadline(time.Now().Add(testwait.Scale(ftpPatience)))
	_, _, err := s.text.ReadResponse(code)
	return err
}

func (s *ftpSession) say(command string, code int) error {
	s.conn.SetDeadline(time.Now().Add(testwait.Scale(ftpPatience)))
	if err := s.text.PrintfLine("%s", command); err != nil {
		return err
	}
	return s.answer(code)
}

// port listens at a port and tells the server.
func (s *ftpSession) port() (net.Listener, error) {
	var l net.Listener
	err := s.lab.Client.Do(func() (err error) {
		l, err = net.Listen("tcp4", ":0")
		return err
	})
	if err != nil {
		return nil, err
	}
	n := l.Addr().(*net.TCPAddr).Port
	err = s.say(fmt.Sprintf("PORT %s,%d,%d", strings.ReplaceAll(ClientV4, ".", ","), n>>8, n&0xff), 200)
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// list has the server send a list by a new data connection.
func (s *ftpSession) list() error {
	p, err := s.port()
	if err != nil {
		return err
	}
	defer p.Close()
	return s.receive(p)
}

// receive has it sent to a port that was told.
func (s *ftpSession) receive(p net.Listener) error {
	if err := s.say("LIST", 150); err != nil {
		return err
	}
	c, err := accept(p)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testwait.Scale(ftpPatience)))
	b, err := io.ReadAll(c)
	if err == nil && string(b) != "file\n" {
		err = fmt.Errorf("list is %q", b)
	}
	return err
}

// accept takes a connection that must come.
func accept(l net.Listener) (net.Conn, error) {
	l.(*net.TCPListener).SetDeadline(time.Now().Add(testwait.Scale(ftpPatience)))
	return l.Accept()
}
