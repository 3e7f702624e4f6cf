package live

import (
	"sync"
	"time"
)

// Point is a second of the history.
type Point struct {
	// Time is when the second began.
	Time time.Time
	// Entries is how many entries were kept at its end.
	Entries int
	// Births and Deaths are how many there were in it. They are exact where events
	// tell of them. Those that dumps found are spread over the time between two
	// dumps, so that these numbers still change when the second is over.
	Births, Deaths float64
}

// History returns the last points, the oldest first, at most n, one each second.
// The second that has not ended is not among them.
func (t *Table) History(n int) []Point { return t.feed.history.last(time.Now(), n) }

// historyLength is how many seconds are kept.
const historyLength = 3600

// history counts births and deaths by the second. The seconds begin when the feed
// does.
type history struct {
	mu    sync.Mutex
	start time.Time // of second 0; zero: it has not begun
	now   int64     // the number of the second that has not ended
	ring  [historyLength]second
	// shownUntil is the last second that is known, where only dumps tell of births;
	// negative: all are.
	shownUntil int64
}

// second is a second of the history; number n is at n modulo the length of the ring.
type second struct {
	entries        uint32
	births, deaths uint32 // that were told when they happened
	born, died     uint32 // that dumps found
}

// begin begins the first second.
func (h *history) begin(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.start, h.now, h.shownUntil = now, 0, -1
	h.ring[0] = second{}
}

// number returns the number of the second that a time is in.
func (h *history) number(at time.Time) int64 { return int64(at.Sub(h.start) / time.Second) }

// at returns a second that is still kept.
func (h *history) at(number int64) *second { return &h.ring[number%historyLength] }

// advance begins all seconds up to the present one. In those that were not looked at
// there were as many entries as before.
func (h *history) advance(now time.Time) {
	if h.start.IsZero() {
		return
	}
	number := h.number(now)
	if number-h.now > historyLength {
		entries := h.at(h.now).entries
		h.now = number - historyLength
		*h.at(h.now) = second{entries: entries}
	}
	for h.now < number {
		entries := h.at(h.now).entries
		h.now++
		*h.at(h.now) = second{entries: entries}
	}
}

// add counts what happened just now, after which so many entries are kept.
func (h *history) add(now time.Time, births, deaths, entries int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance(now)
	s := h.at(h.now)
	s.births += uint32(births)
	s.deaths += uint32(deaths)
	s.entries = uint32(entries)
}

// spread counts what happened at unknown times between two times, evenly.
func (h *history) spread(from, to time.Time, births, deaths int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance(to)
	if h.start.IsZero() || births == 0 && deaths == 0 {
		return
	}
	if from.Before(h.start) {
		from = h.start
	}
	whole := to.Sub(from)
	// upTo returns how many of n had happened at the end of a second.
	upTo := func(n int, number int64) int {
		end := h.start.Add(time.Duration(number+1) * time.Second)
		if !end.Before(to) {
			return n
		}
		return int(float64(n) * float64(end.Sub(from)) / float64(whole))
	}
	var born, died int
	for number := h.number(from); number <= h.number(to); number++ {
		b, d := upTo(births, number), upTo(deaths, number)
		if number > h.now-historyLength {
			s := h.at(number)
			s.born += uint32(b - born)
			s.died += uint32(d - died)
		}
		born, died = b, d
	}
}

// known notes up to when births and deaths are known, the zero time for always.
func (h *history) known(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shownUntil = -1
	if !until.IsZero() && !h.start.IsZero() {
		h.shownUntil = max(0, h.number(until))
	}
}

// span returns the numbers of the last n seconds that have ended, end excluded.
func (h *history) span(n int) (first, end int64) {
	end = h.now
	if h.shownUntil >= 0 {
		end = min(end, h.shownUntil)
	}
	return max(end-int64(max(n, 0)), h.now-historyLength+1, 0), end
}

// last returns the last n seconds that have ended.
func (h *history) last(now time.Time, n int) []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance(now)
	first, end := h.span(n)
	if first >= end {
		return nil
	}
	points := make([]Point, 0, end-first)
	for number := first; number < end; number++ {
		s := h.at(number)
		points = append(points, Point{
			Time: h.start.Add(time.Duration(number) * time.Second), Entries: int(s.entries),
			Births: float64(s.births) + float64(s.born), Deaths: float64(s.deaths) + float64(s.died),
		})
	}
	return points
}

// ratesOver is how many seconds the present rates are the mean of.
const ratesOver = 3

// rates returns births and deaths per second over the last seconds, without those that
// dumps found.
func (h *history) rates(now time.Time) (births, deaths float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance(now)
	first, end := h.span(ratesOver)
	for number := first; number < end; number++ {
		s := h.at(number)
		births += float64(s.births) / float64(end-first)
		deaths += float64(s.deaths) / float64(end-first)
	}
	return births, deaths
}
