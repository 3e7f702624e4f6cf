package e2e

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// As much of FTP (RFC 959) as the kernel's helper needs to see: a login, then RETR over a data connection, which
// the server opens in active mode (PORT) and the client in passive mode (PASV).

// ftpdMain serves any number of clients: ftpd ADDR. It prints the commands that it receives.
func ftpdMain() {
	l, err := net.Listen("tcp4", os.Args[1])
	check(err)
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		check(err)
		go serveFTP(c)
	}
}

func serveFTP(c net.Conn) {
	defer c.Close()
	var data func() net.Conn // opens the data connection
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	say("220 ready")
	for in := bufio.NewScanner(c); in.Scan(); {
		fmt.Println(in.Text())
		verb, arg, _ := strings.Cut(in.Text(), " ")
		switch verb {
		case "USER":
			say("331 password, please")
		case "PASS":
			say("230 logged in")
		case "PORT":
			addr := fromHostPort(arg)
			own := c.LocalAddr().(*net.TCPAddr).IP
			data = func() net.Conn { return dial(net.JoinHostPort(own.String(), "20"), "tcp4", addr) }
			say("200 PORT it is")
		case "PASV":
			l, err := net.Listen("tcp4", net.JoinHostPort(c.LocalAddr().(*net.TCPAddr).IP.String(), "0"))
			check(err)
			data = func() net.Conn {
				defer l.Close()
				d, err := l.Accept()
				check(err)
				return d
			}
			say("227 Entering Passive Mode (%s)", toHostPort(l.Addr()))
		case "RETR":
			say("150 here it comes")
			d := data()
			fmt.Fprintf(d, "contents of %s\n", arg)
			d.Close()
			say("226 done")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 what?")
		}
	}
}

// ftpMain fetches a file: ftp [-active] [-pause] ADDR FILE. With -pause it waits after PORT or PASV until the file
// `go` exists.
func ftpMain() {
	active := flag.Bool("active", false, "let the server open the data connection")
	pause := flag.Bool("pause", false, "wait for the file go")
	flag.Parse()
	c := dial("", "tcp4", flag.Arg(0))
	in := bufio.NewScanner(c)
	answer := func() string {
		if !in.Scan() {
			check(fmt.Errorf("connection closed: %v", in.Err()))
		}
		return in.Text()
	}
	ask := func(format string, args ...any) string {
		_, err := fmt.Fprintf(c, format+"\r\n", args...)
		check(err)
		return answer()
	}
	answer()
	ask("USER anonymous")
	ask("PASS guest")
	var data func() net.Conn
	if *active {
		l, err := net.Listen("tcp4", net.JoinHostPort(c.LocalAddr().(*net.TCPAddr).IP.String(), "0"))
		check(err)
		data = func() net.Conn {
			d, err := l.Accept()
			check(err)
			return d
		}
		fmt.Println(ask("PORT %s", toHostPort(l.Addr())))
	} else {
		reply := ask("PASV")
		open, end := strings.Index(reply, "("), strings.Index(reply, ")")
		if open < 0 || end < open {
			check(fmt.Errorf("no address in %q", reply))
		}
		addr := fromHostPort(reply[open+1 : end])
		data = func() net.Conn { return dial("", "tcp4", addr) }
		fmt.Println(reply)
	}
	if *pause {
		for _, err := os.Stat("go"); err != nil; _, err = os.Stat("go") {
			time.Sleep(pollInterval)
		}
	}
	_, err := fmt.Fprintf(c, "RETR %s\r\n", flag.Arg(1))
	check(err)
	d := data()
	answer() // 150
	_, err = io.Copy(os.Stdout, d)
	check(err)
	answer() // 226
	ask("QUIT")
}

// toHostPort and fromHostPort convert between an address and FTP's six decimal bytes, h1,h2,h3,h4,p1,p2.
func toHostPort(addr net.Addr) string {
	a := addr.(*net.TCPAddr)
	return fmt.Sprintf("%s,%d,%d", strings.ReplaceAll(a.IP.String(), ".", ","), a.Port>>8, a.Port&0xff)
}

func fromHostPort(s string) string {
	f := strings.Split(s, ",")
	if len(f) != 6 {
		check(fmt.Errorf("not an address: %q", s))
	}
	high, err := strconv.Atoi(f[4])
	check(err)
	low, err := strconv.Atoi(f[5])
	check(err)
	return fmt.Sprintf("%s:%d", strings.Join(f[:4], "."), high<<8|low)
}
