package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Kernel-side filters of a dump (linux/netfilter/nfnetlink_conntrack.h; the
// bits are nf_internals.h's CTA_FILTER_FLAG).
const (
	ctaTupleOrig = 1
	ctaFilter    = 25 | unix.NLA_F_NESTED

	filterSource   = 1 << 0
	filterProtocol = 1 << 3
	filterDstPort  = 1 << 5
)

// dumpRequest asks for all entries.
func dumpRequest() []byte {
	return (&ctnetlink.FlowSpec{}).AppendMessage(nil)
}

// filteredRequest asks for the entries whose original tuple has the fields of
// t that flags name.
func filteredRequest(family ctnetlink.Family, t ctnetlink.Tuple, flags uint32) []byte {
	en := ctnetlink.FlowSpec{Family: family, Orig: t}
	b := en.AppendMessage(nil)
	b = binary.NativeEndian.AppendUint16(b, 4+2*8)
	b = binary.NativeEndian.AppendUint16(b, ctaFilter)
	for i, v := range []uint32{flags, 0} { // CTA_FILTER_ORIG_FLAGS, CTA_FILTER_REPLY_FLAGS
		b = binary.NativeEndian.AppendUint16(b, 8)
		b = binary.NativeEndian.AppendUint16(b, uint16(i+1))
		b = binary.NativeEndian.AppendUint32(b, v)
	}
	return b
}

// drain receives one dump and returns how many entries it had. With each it
// looks at the entries, without at nothing but lengths.
func drain(s *socket, buf, request []byte, each func(msg []byte) error) (int, error) {
	setHeader(request, ctGet, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, 1)
	if err := s.send(request); err != nil {
		return 0, err
	}
	entries := 0
	for {
		n, err := s.receive(buf)
		if err != nil {
			return entries, err
		}
		for msg, rest := cut(buf[:n]); msg != nil; msg, rest = cut(rest) {
			if len(msg) <= ackLen {
				// No entry is as short: the end, or a refusal.
				return entries, msgError(msg)
			}
			entries++
			if each != nil {
				if err := each(msg); err != nil {
					return entries, err
				}
			}
		}
	}
}

// drainRole is the limit of a listing: drain [-src ADDR | -dport PORT]. A port
// alone needs a dump of each family.
func drainRole(args []string) error {
	f := newRoleFlags("drain")
	src := f.String("src", "", "source address")
	port := f.Uint("dport", 0, "TCP destination port")
	if err := f.Parse(args); err != nil {
		return err
	}
	requests := [][]byte{dumpRequest()}
	switch {
	case *src != "":
		addr, err := netip.ParseAddr(*src)
		if err != nil {
			return err
		}
		t := ctnetlink.Tuple{Has: ctnetlink.FieldSrc, Src: addr}
		requests = [][]byte{filteredRequest(ctnetlink.FamilyIPv4, t, filterSource)}
	case *port != 0:
		t := ctnetlink.Tuple{
			Has:     ctnetlink.FieldProto | ctnetlink.FieldDstPort,
			Proto:   ctnetlink.ProtoTCP,
			DstPort: uint16(*port),
		}
		requests = [][]byte{
			filteredRequest(ctnetlink.FamilyIPv4, t, filterProtocol|filterDstPort),
			filteredRequest(ctnetlink.FamilyIPv6, t, filterProtocol|filterDstPort),
		}
	}
	s, err := openSocket()
	if err != nil {
		return err
	}
	defer s.close()
	buf := make([]byte, bufferSize)
	// The kernel sizes the datagrams by the largest buffer the socket has read
	// into: read large once before the dump.
	if _, _, err := unix.Recvfrom(s.fd, buf, unix.MSG_DONTWAIT); !errors.Is(err, unix.EAGAIN) {
		return fmt.Errorf("the socket is not empty: %w", err)
	}
	entries := 0
	for _, r := range requests {
		n, err := drain(s, buf, r, nil)
		if err != nil {
			return err
		}
		entries += n
	}
	fmt.Fprintf(os.Stderr, "%d flow entries have been shown.\n", entries)
	return nil
}
