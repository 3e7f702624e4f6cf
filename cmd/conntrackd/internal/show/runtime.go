package show

import (
	"fmt"
	"math"
	"time"
)

// Runtime is what -s runtime shows. Of conntrack-tools' counters of children and of
// failed system calls there is only the one of dumps that ended early: this daemon has
// no children.
type Runtime struct {
	Uptime                                       time.Duration
	Received, Filtered, UnknownType, EventFailed uint64 // events
	DumpUnknown, Overruns, Flushes, Resyncs      uint64
	Buffer                                       int    // of the event socket, in bytes
	JobFailed                                    uint64 // listings, flushes and commits that have failed
	ReadFailed, UnknownRequest                   uint64 // of the control socket
}

// AppendRuntime appends the text of -s runtime.
func AppendRuntime(dst []byte, r *Runtime) []byte {
	dst = append(dst, "daemon uptime: "...)
	minutes := int64(r.Uptime / time.Minute)
	if d := minutes / (24 * 60); d > 0 {
		dst = fmt.Appendf(dst, "%d day%s ", d, plural(d))
	}
	if h := minutes / 60 % 24; h > 0 {
		dst = fmt.Appendf(dst, "%d h ", h)
	}
	return fmt.Appendf(dst, "%d min\n\n"+
		"netlink stats:\n"+
		"\tevents received:\t%20d\n"+
		"\tevents filtered:\t%20d\n"+
		"\tevents unknown type:\t\t%12d\n"+
		"\tcatch event failed:\t\t%12d\n"+
		"\tdump unknown type:\t\t%12d\n"+
		"\tnetlink overrun:\t\t%12d\n"+
		"\tflush kernel table:\t\t%12d\n"+
		"\tresync with kernel table:\t%12d\n"+
		"\tcurrent buffer size (in bytes):\t%12d\n\n"+
		"runtime stats:\n"+
		"\tchild process failed:\t\t%12d\n"+
		"\t\tchild process segfault:\t%12d\n"+
		"\t\tchild process termsig:\t%12d\n"+
		"\tselect failed:\t\t\t%12d\n"+
		"\twait failed:\t\t\t%12d\n"+
		"\tlocal read failed:\t\t%12d\n"+
		"\tlocal unknown request:\t\t%12d\n\n",
		minutes%60, r.Received, r.Filtered, r.UnknownType, r.EventFailed, r.DumpUnknown, r.Overruns,
		r.Flushes, r.Resyncs, r.Buffer, r.JobFailed, 0, 0, 0, 0, r.ReadFailed, r.UnknownRequest)
}

func plural(n int64) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// Queue is a queue of -s queue.
type Queue struct {
	Name     string // txqueue, errorq, rsqueue
	Len, Max int    // Max 0: any number
	NoSpace  uint64
}

// AppendQueues appends the text of -s queue. nodes is how many elements all queues have
// that are not objects of a cache.
func AppendQueues(dst []byte, nodes int, queues []Queue) []byte {
	dst = fmt.Appendf(dst, "allocated queue nodes:\t\t%12d\n\n", nodes)
	for i := range queues {
		q := &queues[i]
		most := q.Max
		if most <= 0 {
			most = math.MaxInt32
		}
		dst = fmt.Appendf(dst, "queue %s:\n"+
			"current elements:\t\t%12d\n"+
			"maximum elements:\t\t%12d\n"+
			"not enough space errors:\t%12d\n\n", q.Name, q.Len, most, q.NoSpace)
	}
	return dst
}

// Resend is an element of the resend queue.
type Resend struct {
	Control bool // not an object
	Seq     uint32
	Flags   uint8 // of a control message
}

// AppendResends appends the text of -s rsqueue.
func AppendResends(dst []byte, queue []Resend) []byte {
	dst = fmt.Appendf(dst, "resent queue (len=%d)\n", len(queue))
	for _, e := range queue {
		if e.Control {
			dst = fmt.Appendf(dst, "control -> seq:%d flags:%d\n", e.Seq, e.Flags)
		} else {
			dst = fmt.Appendf(dst, "object -> seq:%d\n", e.Seq)
		}
	}
	return dst
}

// AppendProcess appends the line of -s process for a job: what is a child of
// conntrack-tools' daemon is a part of this process. kind is any, flush or commit.
func AppendProcess(dst []byte, pid int, kind string) []byte {
	return fmt.Appendf(dst, "PID=%d type=%s\n", pid, kind)
}
