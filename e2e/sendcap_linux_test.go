package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// tun makes the script's namespace a router with one TUN device, tun0: what comes in there and is for no address of
// the router leaves there again. A table of rules counts packets by their state, and logs the state for sendcap.
func (run *scenarioRun) tun(ts *testscript.TestScript, _ bool, _ []string) {
	for _, key := range []string{"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"} {
		run.set(ts, key, "1")
	}
	for _, key := range []string{"net.ipv4.conf.all.rp_filter", "net.ipv4.conf.default.rp_filter",
		"net.ipv4.conf.all.send_redirects", "net.ipv4.conf.default.send_redirects",
		"net.ipv6.conf.default.router_solicitations"} {
		run.set(ts, key, "0")
	}
	for _, key := range []string{"net.netfilter.nf_log.2", "net.netfilter.nf_log.10"} {
		run.set(ts, key, "nfnetlink_log")
	}
	run.set(ts, "net.netfilter.nf_conntrack_log_invalid", "255")
	run.set(ts, "net.netfilter.nf_conntrack_acct", "1")
	rules := "table inet states {\nchain output { type filter hook output priority -450; drop; }\n"
	rules += "chain prerouting { type filter hook prerouting priority -199;\n"
	for _, state := range []string{"new", "established", "related", "invalid", "untracked"} {
		rules += fmt.Sprintf("ct state %[1]s counter log prefix \"%[1]s\" group 1 accept\n", state)
	}
	rules += "}\n}\n"
	run.sh(ts, "", "nft -f - <<'.'\n"+rules+`.
		ip link set lo up
		ip tuntap add dev tun0 mode tun
		ip link set tun0 addrgenmode none
		ip link set tun0 mtu 9000 up
		ip route add default dev tun0
		ip -6 route add default dev tun0`)
}

// sendcapMain puts the packets of a capture by makecap into a TUN device: sendcap FILE DEVICE [OUT]. It prints a line
// for each packet: its number, its state as the rules of `tun` saw it, and what the kernel said about it. What leaves
// the device is written to the capture OUT, with the times of the packets that were put in.
func sendcapMain() {
	capture, err := os.ReadFile(os.Args[1])
	check(err)
	const fileHeader, recordHeader = 24, 16
	if len(capture) < fileHeader || binary.LittleEndian.Uint32(capture[20:]) != 101 {
		check(errors.New("sendcap: a capture of raw packets is required"))
	}
	device, err := netlab.TUN(os.Args[2])
	check(err)
	check(waitRunning(os.Args[2]))
	log, err := netlab.Dial()
	check(err)
	check(log.ListenLog())
	out := append([]byte(nil), capture[:fileHeader]...)
	left := make([]byte, 1<<16)
	capture = capture[fileHeader:]
	for n := 1; len(capture) >= recordHeader; n++ {
		size := binary.LittleEndian.Uint32(capture[8:])
		if size != binary.LittleEndian.Uint32(capture[12:]) {
			check(fmt.Errorf("sendcap: packet %d was cut", n))
		}
		header, packet := capture[:8], capture[recordHeader:recordHeader+size]
		capture = capture[recordHeader+size:]
		if _, err := unix.Write(device, packet); err != nil {
			check(fmt.Errorf("sendcap: packet %d: %w", n, err))
		}
		state, said := "no rule saw it", ""
		_, err := log.Receive(func(m []byte) {
			switch group, text, _, ok := netlab.ParseLog(m); {
			case ok && group == 0:
				said += ": " + strings.TrimSpace(text)
			case ok:
				state = text
			}
		})
		check(err)
		fmt.Printf("%6d %s%s\n", n, state, said)
		for {
			n, err := unix.Read(device, left)
			if err == unix.EAGAIN {
				break
			}
			check(err)
			out = append(out, header...)
			out = binary.LittleEndian.AppendUint32(out, uint32(n))
			out = binary.LittleEndian.AppendUint32(out, uint32(n))
			out = append(out, left[:n]...)
		}
	}
	if len(os.Args) > 3 {
		check(os.WriteFile(os.Args[3], out, 0o666))
	}
}

// waitRunning waits until a device sends: for a moment after a process has attached to it, it drops what leaves.
func waitRunning(device string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq(device)
	if err != nil {
		return err
	}
	if !testwait.For(patience, func() bool {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, req)
		return err != nil || req.Uint16()&unix.IFF_RUNNING != 0
	}) {
		return fmt.Errorf("%s does not run", device)
	}
	if err == nil { // setting flags waits for a change that is under way
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
	}
	return err
}
