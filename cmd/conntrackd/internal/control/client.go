package control

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
)

// ErrNoAnswer says that a daemon closed the connection without the status that answers to
// our own requests begin with: it does not know the request.
var ErrNoAnswer = errors.New("the daemon that runs does not know this request")

// Dial connects to the daemon that listens on a socket.
func Dial(path string) (net.Conn, error) {
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
}

// Do sends a request and copies the answer to out as it comes, until its end. status is
// the exit status that the answer tells; for the requests of conntrack-tools it is 0. An
// error of the connection after the request was sent ends the answer.
func Do(conn net.Conn, r Request, out io.Writer) (status int, err error) {
	var number [4]byte
	binary.NativeEndian.PutUint32(number[:], uint32(r))
	if _, err := conn.Write(number[:]); err != nil {
		return 1, err
	}
	if !r.Own() {
		if _, err := io.Copy(out, conn); err != nil {
			var op *net.OpError
			if !errors.As(err, &op) { // out's, not the connection's
				return 1, err
			}
		}
		return 0, nil
	}
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	if err != nil {
		return 2, ErrNoAnswer
	}
	status, err = strconv.Atoi(strings.TrimSuffix(line, "\n"))
	if err != nil || status < 0 || status > 255 {
		return 2, ErrNoAnswer
	}
	_, err = io.Copy(out, in)
	return status, err
}
