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
		return copyAnswer(out, conn)
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
	_, err = copyAnswer(out, in)
	return status, err
}

// copyAnswer copies an answer until its end, which an error of the connection is as well.
// An error is out's.
func copyAnswer(out io.Writer, in io.Reader) (status int, err error) {
	b := make([]byte, 1<<16)
	for {
		n, err := in.Read(b)
		// Not by io.Copy: splice(2) to a closed pipe fails, where write(2) ends the
		// program by SIGPIPE, as is expected of a filter.
		if _, failed := out.Write(b[:n]); failed != nil {
			return 1, failed
		}
		if err != nil {
			return 0, nil
		}
	}
}
