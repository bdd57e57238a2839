"""The part of Gearman's binary protocol that the benchmarks speak: a client that waits, and stub workers.

Written out here so that what is measured is the worker or the client, with as little as possible around it.
"""

import os
import selectors
import socket
import struct

CAN_DO, PRE_SLEEP, NOOP, SUBMIT_JOB, JOB_CREATED, GRAB_JOB, NO_JOB, JOB_ASSIGN = 1, 4, 6, 7, 8, 9, 10, 11
WORK_COMPLETE, WORK_FAIL = 13, 14


def packet(kind, *parts):
    body = b"\0".join(parts)
    return b"\0REQ" + struct.pack(">II", kind, len(body)) + body


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def send(self, data):
        self.socket.sendall(data)

    def packets(self):
        """Takes the packets that are complete out of the buffer."""
        taken, start = [], 0
        while len(self.buffer) - start >= 12:
            kind, length = struct.unpack_from(">II", self.buffer, start + 4)
            if len(self.buffer) - start - 12 < length:
                break
            taken.append((kind, bytes(self.buffer[start + 12:start + 12 + length])))
            start += 12 + length
        del self.buffer[:start]
        return taken

    def fill(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the job server closed the connection")
        self.buffer += data


class Client(Connection):
    def __init__(self, port):
        super().__init__(port)
        self.socket.settimeout(60)

    def submit(self, function, workload):
        """Submits one job and waits for its result."""
        self.send(packet(SUBMIT_JOB, function.encode(), b"", workload))
        while True:
            self.fill()
            for kind, body in self.packets():
                if kind == WORK_COMPLETE:
                    return body.split(b"\0", 1)[1]
                if kind == WORK_FAIL:
                    raise RuntimeError(f"{function} failed")


def stub_workers(port, names, connections, answer, ready):
    """Registers the names over a few connections and answers every job; runs until it is killed."""
    selector = selectors.DefaultSelector()
    for index in range(connections):
        connection = Connection(port)
        mine = names[index::connections]
        connection.send(b"".join(packet(CAN_DO, name.encode()) for name in mine) + packet(PRE_SLEEP))
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    ready()
    while True:
        for key, _ in selector.select():
            connection = key.data
            connection.fill()
            out = []
            for kind, body in connection.packets():
                if kind == NOOP:
                    out.append(packet(GRAB_JOB))
                elif kind == JOB_ASSIGN:
                    handle, _, _ = body.split(b"\0", 2)
                    out.append(packet(WORK_COMPLETE, handle, answer))
                    out.append(packet(GRAB_JOB))
                elif kind == NO_JOB:
                    out.append(packet(PRE_SLEEP))
            if out:
                connection.send(b"".join(out))


def fork_stub_workers(port, names, connections, answer):
    """Stub workers in a process of their own; returns its id once all names were sent."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            stub_workers(port, names, connections, answer, lambda: os.write(writer, b"."))
        finally:
            os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return pid
