#!/usr/bin/env python3
"""Peers in Python: lines from standard input to a PUSH socket, as one writes it there.

    push_loop.py plain ENDPOINT     a bound socket, a message a line
    push_loop.py json ENDPOINT      a connected socket, each line as a JSON object
"""

import json
import os
import sys

import zmq


def main():
    kind, endpoint = sys.argv[1:]
    socket = zmq.Context().socket(zmq.PUSH)
    socket.sndhwm = 20000
    if kind == "plain":
        socket.bind(endpoint)
        for line in sys.stdin.buffer:
            socket.send(line.rstrip(b"\n"))
    else:
        socket.connect(endpoint)
        pid = os.getpid()
        for line in sys.stdin:
            entry = {"message": line.rstrip("\n"), "type": "syslog", "@pid": pid}
            socket.send(json.dumps(entry).encode())


if __name__ == "__main__":
    main()
