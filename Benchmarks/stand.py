"""What the benchmarks share: servers on free loopback ports in a temporary folder, and figures of processes."""

import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def build(*products):
    """Release builds with the Swift runtime linked statically, as they are packaged; returns their folder."""
    for product in products:
        command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", product]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    shown = subprocess.run(["swift", "build", "-c", "release", "--show-bin-path"], cwd=ROOT, check=True,
                           capture_output=True, text=True)
    return shown.stdout.strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.01)
    raise SystemExit(f"{what} did not come up")


def accepts(port, address="127.0.0.1"):
    with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


def is_alive(pid):
    """Whether a process runs; one that ended and was not waited for does not."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return False


def end_haproxy(pid_file):
    """Ends a master, which detaches from whoever starts it, and with it its workers; waits until it is gone."""
    with contextlib.suppress(OSError, ValueError), open(pid_file) as file:
        pid = int(file.read())
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not is_alive(pid), "the end of HAProxy")


class Stand:
    """A folder and the processes that were started for a run; all of it ends with the `with` block."""

    def __enter__(self):
        # Ends the block, and with it what was started.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
        self.directory = tempfile.TemporaryDirectory(prefix="libra-bench-")
        self.folder = self.directory.name
        self.children = []
        self.pids = []
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for root, _, names in os.walk(self.folder):
            if "haproxy.pid" in names:
                end_haproxy(os.path.join(root, "haproxy.pid"))
        self.directory.cleanup()

    def start(self, *command, log="output.log", **options):
        output = open(os.path.join(self.folder, log), "ab")
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)
        self.children.append(child)
        return child

    def gearmand(self, *options):
        port = free_port()
        self.gearmand_process = self.start(
            "gearmand", "--listen=127.0.0.1", f"--port={port}", f"--log-file={self.folder}/gearmand.log", *options)
        wait_for(lambda: accepts(port), "gearmand")
        return port

    def worker(self, program, port, function, *options, configuration=""):
        """Starts a worker with an HAProxy of its own; returns its process and its folder."""
        state = os.path.join(self.folder, function)
        os.mkdir(state)
        path = os.path.join(self.folder, function + ".cfg")
        with open(path, "w") as file:
            file.write(f"[worker:haproxy]\nstatedir = {state}\n{configuration}")
        child = self.start(
            program, "--nodaemon", "--config", path, "--haproxy-service", "process",
            "--server", f"127.0.0.1:{port}", "--function", function, *options, log=function + ".log")
        wait_for(lambda: registered(port, function), "libra_worker")
        return child, state


def registered(port, function):
    with socket.create_connection(("127.0.0.1", port), 1) as admin:
        admin.sendall(b"status\n")
        text = b""
        while not text.endswith(b".\n"):
            text += admin.recv(65536)
    lines = [line.split("\t") for line in text.decode().splitlines() if "\t" in line]
    return any(columns[0] == function and columns[3] != "0" for columns in lines)


def complaints(stand, function):
    """The warnings and errors in a worker's log."""
    with open(os.path.join(stand.folder, function + ".log"), errors="replace") as file:
        return [line.strip() for line in file if re.search(r" (warning|error|critical) ", line)]


def status(pid, key):
    """A number from /proc/PID/status."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(rf"^{key}:\s+(\d+)", file.read(), re.M).group(1))


def context_switches(pid):
    """Voluntary context switches of each thread of a process so far."""
    counts = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            counts[task] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))
    return counts


def wake_ups(pid, seconds):
    """How often a second the threads of a process go to sleep, which is how often they were awake."""
    before = context_switches(pid)
    time.sleep(seconds)
    after = context_switches(pid)
    return sum(count - before.get(task, 0) for task, count in after.items()) / seconds


def milliseconds(action):
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def median(values):
    return statistics.median(values)


def row(name, value, bar=""):
    print(f"{name:<58} {value:>16}   {bar}", flush=True)
