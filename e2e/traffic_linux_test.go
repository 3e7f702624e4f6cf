package e2e

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// Small programs that make traffic in a lab. They are commands of the scripts: the test binary under another name.

// echodMain is a server that sends back what it receives: echod NET ADDR. It prints `listening` when it is ready.
func echodMain() {
	network, addr := os.Args[1], os.Args[2]
	if strings.HasPrefix(network, "udp") {
		pc, err := net.ListenPacket(network, addr)
		check(err)
		fmt.Println("listening")
		buf := make([]byte, 65536)
		for {
			n, from, err := pc.ReadFrom(buf)
			check(err)
			_, err = pc.WriteTo(buf[:n], from)
			check(err)
		}
	}
	l, err := net.Listen(network, addr)
	check(err)
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		check(err)
		go func() {
			io.Copy(c, c)
			c.Close()
		}()
	}
}

// talkMain sends a text and prints the answer: talk [-from ADDR] [-hold] NET ADDR TEXT. With -hold it then keeps the
// connection until it is killed.
func talkMain() {
	from := flag.String("from", "", "own address")
	hold := flag.Bool("hold", false, "keep the connection")
	flag.Parse()
	network, addr, text := flag.Arg(0), flag.Arg(1), flag.Arg(2)
	c := dial(*from, network, addr)
	_, err := io.WriteString(c, text)
	check(err)
	answer := make([]byte, len(text))
	_, err = io.ReadFull(c, answer)
	check(err)
	fmt.Println(string(answer))
	if *hold {
		select {}
	}
	c.Close()
}

// httpdMain serves one page: httpd ADDR.
func httpdMain() {
	l, err := net.Listen("tcp", os.Args[1])
	check(err)
	fmt.Println("listening")
	check(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello\n")
	})))
}

// fetchMain prints a page: fetch [-from ADDR] URL.
func fetchMain() {
	from := flag.String("from", "", "own address")
	flag.Parse()
	client := http.Client{
		Timeout: testwait.Scale(patience),
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
				return dial(*from, network, addr), nil
			},
		},
	}
	resp, err := client.Get(flag.Arg(0))
	check(err)
	_, err = io.Copy(os.Stdout, resp.Body)
	check(err)
	resp.Body.Close()
}

// dial connects, from a given local address unless that is empty. The address may be in TIME_WAIT.
func dial(from, network, addr string) net.Conn {
	d := net.Dialer{Timeout: testwait.Scale(patience), Control: reuseAddress}
	if from != "" {
		var err error
		if strings.HasPrefix(network, "udp") {
			d.LocalAddr, err = net.ResolveUDPAddr(network, from)
		} else {
			d.LocalAddr, err = net.ResolveTCPAddr(network, from)
		}
		check(err)
	}
	c, err := d.Dial(network, addr)
	check(err)
	check(c.SetDeadline(time.Now().Add(testwait.Scale(patience))))
	return c
}

func reuseAddress(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}); e != nil {
		return e
	}
	return err
}
