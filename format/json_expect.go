package format

import "github.com/gonntrack/gonntrack/ctnetlink"

// jsonExpect appends the object of an expectation.
func jsonExpect(b []byte, x *ctnetlink.Expect, c *Context) []byte {
	start := len(b)
	b = append(b, '{')
	if c.Event != EventNone {
		b = jsonWord(b, `"event":`, eventWords[c.Event])
		b = jsonTime(b, `"time":`, nanos(c.now()))
	}
	b = jsonLook(b, c)
	b = jsonOrigin(b, x.Family(), x.Tuple(), c)
	if v, ok := wholeSeconds(x.Timeout()); ok {
		b = jsonNumber(b, `"timeout":`, v)
	}
	b = jsonSide(b, `"expected":{`, x.Tuple())
	b = jsonSide(b, `"mask":{`, x.Mask())
	if t := x.Master(); t.Has != 0 {
		b = jsonMaster(b, t)
	}
	if v, ok := x.Zone(); ok {
		b = jsonNumber(b, `"zone":`, uint64(v))
	}
	if v, ok := x.Flags(); ok {
		b = jsonFlags(b, v)
	}
	if v, ok := x.Class(); ok {
		b = jsonNumber(b, `"class":`, uint64(v))
	}
	if v, ok := x.Helper(); ok {
		b = jsonName(b, `"helper":`, v)
	}
	if v, ok := x.Fn(); ok {
		b = jsonName(b, `"fn":`, v)
	}
	if v, ok := x.ID(); ok {
		b = jsonNumber(b, `"id":`, uint64(v))
	}
	if c.Event != EventNone {
		b = jsonCause(b, c)
	}
	return closeJSON(b, start, '}')
}

// jsonSide appends a tuple as an object. It appends nothing for a tuple that was
// not sent.
func jsonSide(b []byte, key string, t *ctnetlink.Tuple) []byte {
	if t.Has == 0 {
		return b
	}
	b = append(b, key...)
	open := len(b) - 1
	return append(closeJSON(jsonTuple(b, t), open, '}'), ',')
}

func jsonFlags(b []byte, flags ctnetlink.ExpectFlags) []byte {
	b = append(b, `"flags":[`...)
	open := len(b) - 1
	for _, f := range expectFlags {
		if flags&f.bit != 0 {
			b = append(append(append(b, '"'), f.name...), '"', ',')
		}
	}
	return append(closeJSON(b, open, ']'), ',')
}

// jsonNotice appends an object about the stream of events itself: what happened to
// it, and numbers.
func jsonNotice(b []byte, what string, c *Context, numbers ...notice) []byte {
	start := len(b)
	b = append(b, '{')
	b = jsonWord(b, `"event":`, what)
	b = jsonTime(b, `"time":`, nanos(c.now()))
	if c.NetNS != "" {
		b = jsonName(b, `"netns":`, c.NetNS)
	}
	for _, n := range numbers {
		b = jsonNumber(b, n.key, n.value)
	}
	return closeJSON(b, start, '}')
}

// notice is a member of a notice. key includes quotes and colon.
type notice struct {
	key   string
	value uint64
}
