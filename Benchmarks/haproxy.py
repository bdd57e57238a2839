"""HAProxy without a worker: its sockets, and one that the benchmarks drive by themselves."""

import os
import re
import socket
import subprocess
import time

from stand import end_haproxy, free_port, wait_for


def ask(path, command):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        connection.sendall(command.encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)
        text = b""
        while data := connection.recv(65536):
            text += data
        return text.decode()


class Master:
    """The master of an HAProxy, by its socket."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, "haproxy-master.sock")

    def workers(self):
        """Process ids of the workers that have not ended, and how often each was reloaded."""
        rows = [line.split() for line in ask(self.socket, "show proc").splitlines()]
        return [(int(columns[0]), int(columns[2])) for columns in rows if columns[1:2] == ["worker"]]

    def worker(self):
        """The process that is not being replaced; None while there is none."""
        return next((pid for pid, reloads in self.workers() if reloads == 0), None)

    def settle(self):
        """Waits for the process that was replaced, so that what it still does slows down nothing that is timed."""
        wait_for(lambda: len(self.workers()) == 1, "the end of the process that was replaced", 60)


class BareHAProxy(Master):
    """HAProxy as the worker runs it, without a worker: what a check and a reload cost by themselves."""

    def __init__(self, stand, text, name):
        self.folder = os.path.join(stand.folder, name)
        os.mkdir(self.folder)
        super().__init__(self.folder)
        self.configuration = os.path.join(self.folder, "haproxy.cfg")
        self.pid_file = os.path.join(self.folder, "haproxy.pid")
        self.stats_socket = os.path.join(self.folder, "haproxy.sock")
        self.write(text)
        self.start()

    def start(self):
        subprocess.run(["haproxy", "-W", "-D", "-S", self.socket, "-f", self.configuration, "-p", self.pid_file],
                       check=True, capture_output=True)
        wait_for(self.worker, "HAProxy")

    def stop(self):
        end_haproxy(self.pid_file)

    def write(self, text):
        with open(self.configuration, "w") as file:
            file.write(text)

    def check_and_reload(self):
        subprocess.run(["haproxy", "-c", "-f", self.configuration], check=True, capture_output=True)
        before = self.worker()
        ask(self.socket, "reload")
        while True:
            try:
                if (now := self.worker()) and now != before:
                    return
            except OSError:
                pass
            time.sleep(0.001)


def bare_twin(stand, state, front, name):
    """An HAProxy with the configuration that the worker of a state folder has written, on a port of its own."""
    folder, port = os.path.join(stand.folder, name), free_port()
    with open(os.path.join(state, "haproxy.cfg")) as file:
        text = file.read().replace(state, folder).replace(f":{front}\n", f":{port}\n")
    return BareHAProxy(stand, text, name), text, port


def haproxy_pid(state):
    """The process that answers on the socket of a state folder."""
    return int(re.search(r"^Pid: (\d+)", ask(os.path.join(state, "haproxy.sock"), "show info"), re.M).group(1))
