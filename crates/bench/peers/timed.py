"""Runs a command and writes what it cost to a file, as JSON.

usage: timed.py RESULT SECONDS_MAX COMMAND [ARGUMENT]...

The kernel's own account of the child and of those that it waited for: seconds
of CPU, the largest resident set of any of them in bytes, and seconds of wall
time. What takes longer than SECONDS_MAX is killed. This interpreter's own size (some 9 MB) is the least that can be told.
"""

import json
import os
import signal
import sys
import time


def main():
    result, limit, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    begun = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(limit)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - begun
    cost = {
        "exit": os.waitstatus_to_exitcode(status),
        "wall": wall,
        "user": usage.ru_utime,
        "system": usage.ru_stime,
        "rss": usage.ru_maxrss * 1024,
    }
    with open(result, "w", encoding="utf-8") as file:
        json.dump(cost, file)


main()
