package pair

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// say sends a line by a connection and returns what comes back.
func say(c net.Conn, line string) (string, error) {
	if err := c.SetDeadline(time.Now().Add(testwait.Scale(5 * time.Second))); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(c, line); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return "", err
	}
	return answer[:len(answer)-1], nil
}

// echo sends back what it gets of the connections of a listener.
func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

// The laboratory carries connections, and its daemons tell each other of them: one of each
// family is at the second node, and goes on there after its addresses have moved.
func TestLab(t *testing.T) {
	l := lab(t, Config{NAT: SourceNAT})
	for _, n := range l.Nodes {
		n.StartDaemon(Daemon, Settings{Channel: UDP})
	}
	go echo(l.Server.Listen("tcp", "[::]:7"))
	var conns []net.Conn
	for _, to := range []string{ServerV4, ServerV6} {
		c, err := l.Client.Dial("tcp", "", net.JoinHostPort(to, "7"), testwait.Scale(5*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got, err := say(c, "hello"); got != "hello" {
			t.Fatalf("%s: %q, %v", to, got, err)
		}
		conns = append(conns, c)
	}
	second := l.Nodes[1]
	second.Await(10*time.Second, "external entries", func() bool { return second.Counts().External == len(conns) })
	second.Ask("-c")
	if diff := Diff(l.Nodes[0].Table("-p", "tcp"), second.Table("-p", "tcp")); diff != "" {
		t.Errorf("tables differ:\n%s", diff)
	}
	l.Take(2)
	for _, c := range conns {
		if got, err := say(c, "again"); got != "again" {
			t.Errorf("%v: %q, %v\n%s", c.RemoteAddr(), got, err, second.Log())
		}
	}
	for _, n := range l.Nodes {
		n.Stop()
	}
}
