package cache

// Queue is a list of objects of one cache in their order, through their Next and Prev.
// An object is in one queue at a time. ID is not 0, and each queue of a cache has its
// own.
type Queue struct {
	ID          uint8
	First, Last Slot
	Len         int
}

// Push puts an object at the end of q, taking it out of the queue that it is in.
func (c *Cache) Push(q *Queue, s Slot) {
	r := c.live(s)
	if r == nil {
		return
	}
	c.unlink(r)
	c.queues[q.ID] = q
	r.Queue, r.Prev, r.Next = q.ID, q.Last, 0
	if q.Last == 0 {
		q.First = s
	} else {
		c.record(q.Last).Next = s
	}
	q.Last = s
	q.Len++
}

// Remove takes an object out of q, if it is there.
func (c *Cache) Remove(q *Queue, s Slot) {
	if r := c.live(s); r != nil && r.Queue == q.ID {
		c.unlink(r)
	}
}

// unlink takes an object out of its queue.
func (c *Cache) unlink(r *record) {
	q := c.queues[r.Queue]
	if r.Queue == 0 || q == nil {
		return
	}
	if r.Prev == 0 {
		q.First = r.Next
	} else {
		c.record(r.Prev).Next = r.Next
	}
	if r.Next == 0 {
		q.Last = r.Prev
	} else {
		c.record(r.Next).Prev = r.Prev
	}
	q.Len--
	r.Queue, r.Next, r.Prev = 0, 0, 0
}
