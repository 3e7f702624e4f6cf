#!/usr/bin/env python3
"""A wire that loses, delays and reorders packets, between TUN devices in two network namespaces.

    relay.py NETNS DEVICE NETNS DEVICE LOSS DELAY     LOSS: percent; DELAY: each packet waits 0 to DELAY ms

It makes the devices, writes "ready", and runs until it is ended. Needs root. The numbers are drawn from a fixed seed.
"""
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)


def tun(netns, name):
    with open("/run/netns/" + netns) as ns:
        if libc.setns(ns.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x0001 | 0x1000))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
    return fd


ends = [tun(sys.argv[1], sys.argv[2]), tun(sys.argv[3], sys.argv[4])]
loss, delay = float(sys.argv[5]) / 100, float(sys.argv[6]) / 1000
rng, waiting, n = random.Random(1), [], 0
print("ready", flush=True)
while True:
    now = time.monotonic()
    while waiting and waiting[0][0] <= now:
        _, _, to, packet = heapq.heappop(waiting)
        os.write(to, packet)
    wait = waiting[0][0] - now if waiting else None
    for fd in select.select(ends, [], [], wait)[0]:
        packet = os.read(fd, 65536)
        if rng.random() >= loss:
            n += 1
            heapq.heappush(waiting, (time.monotonic() + rng.random() * delay, n, ends[1 - ends.index(fd)], packet))
