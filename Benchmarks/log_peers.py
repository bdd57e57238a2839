"""Senders and receivers of lines: how the benchmark of the log tools starts them, and what they took."""

import contextlib
import os
import shutil
import subprocess
import sys
import time

from stand import ROOT, free_port, status

PACKAGES = os.environ.get("LIBRA_TEST_PYTHON_PATH", os.path.join(ROOT, ".build", "test-python"))
WAIT = 120


def compile_peers(folder):
    """The peers in C, which need a compiler and libzmq3-dev; returns their paths by their names."""
    compiler = shutil.which("cc") or shutil.which("clang")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libzmq"], capture_output=True, text=True)
    if not compiler or flags.returncode != 0:
        raise SystemExit("the peers in C need a compiler: bin/install-dependencies gcc libzmq3-dev pkg-config")
    paths = {name: os.path.join(folder, name) for name in ("zmq_push", "zmq_pull", "zmq_dealer")}
    for name, path in paths.items():
        source = os.path.join(ROOT, "Benchmarks", name + ".c")
        subprocess.run([compiler, "-O2", "-Wall", "-o", path, source, *flags.stdout.split()], check=True)
    return paths


def python_loop(kind):
    """The command of a peer in Python, which needs pyzmq; installs it for itself when it is missing."""
    if not os.path.isdir(os.path.join(PACKAGES, "zmq")):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action", "ignore",
                        "--target", PACKAGES, "pyzmq"], check=True)
    return [sys.executable, os.path.join(ROOT, "Benchmarks", "push_loop.py"), kind]


def environment():
    return {**os.environ, "PYTHONPATH": PACKAGES}


def endpoint():
    return f"tcp://127.0.0.1:{free_port()}"


class Result:
    """What one run took: seconds for so many lines, CPU seconds of the sender, seconds until the first line came."""

    def __init__(self, lines, seconds, cpu, start=0.0):
        self.rate = lines / seconds
        self.cpu_per_million = cpu * 1e6 / lines
        self.start = start


class Receiver:
    """A receiver in C."""

    def __init__(self, stand, command, lines):
        self.lines = lines
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        stand.children.append(self.process)
        if self.process.stdout.readline() != b"ready\n":
            raise SystemExit("the receiver did not start")

    def finish(self):
        """Waits until it has all; returns bytes, and when the first and the last of it came, in seconds."""
        text, _ = self.process.communicate(timeout=WAIT)
        lines, size, _, first, last = (int(word) for word in text.split())
        if lines != self.lines:
            raise SystemExit(f"{lines} of {self.lines} lines came")
        return size, first / 1e9, last / 1e9


class Sender:
    """A process that sends what comes on its standard input; its log is the stand's file of that name."""

    def __init__(self, stand, command, source, log="sender.log"):
        self.name = os.path.basename(command[0])
        self.log = os.path.join(stand.folder, log)
        self.started = time.monotonic()
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(command, stdin=source, stdout=output, stderr=output, env=environment())
        stand.children.append(self.process)

    def finish(self):
        """Waits for its end; returns the CPU seconds that it took."""
        _, code, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(code)
        if self.process.returncode != 0:
            with open(self.log, errors="replace") as file:
                raise SystemExit(f"{self.name} ended with {self.process.returncode}: {file.read()[-1000:]}")
        return usage.ru_utime + usage.ru_stime

    def resident(self, key="VmRSS"):
        """MB; VmHWM is the most that there was."""
        return status(self.process.pid, key) / 1024

    def end(self):
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()


def run(stand, receive, send, lines, path):
    """Sends a file to a receiver in C: it takes from the first line that comes to the last one.

    `receive` and `send` make the commands from the address where the two meet.
    """
    address = endpoint()
    receiver = Receiver(stand, receive(address), lines)
    with open(path, "rb") as source:
        sender = Sender(stand, send(address), source)
    _, first, last = receiver.finish()
    seconds = max(last - first, 1e-9)  # Of a single line both are the same.
    return Result(lines, seconds, sender.finish(), first - sender.started)
