"""Traffic for the benchmarks: nodes that answer as fast as they are asked, and a steady load by wrk."""

import os
import re
import subprocess

from stand import accepts, free_port, wait_for

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrk.lua")
ERRORS = ("connect", "read", "write", "timeout", "status")
CONNECTIONS, PAUSE = 32, 16


def node_address(number):
    return f"127.9.{number // 200}.{number % 200 + 1}"


def start_nodes(stand, count):
    """One HAProxy that answers on many addresses of one port, which is returned."""
    port = free_port()
    path = os.path.join(stand.folder, "nodes.cfg")
    with open(path, "w") as file:
        file.write("global\n    nbthread 1\n    maxconn 4000\n"
                   "defaults\n    mode http\n    timeout client 1h\n    timeout server 1h\n    timeout connect 1s\n"
                   "frontend nodes\n")
        for number in range(count):
            file.write(f"    bind {node_address(number)}:{port}\n")
        file.write('    http-request return status 200 content-type text/plain string "a node\'s answer"\n')
    stand.start("haproxy", "-db", "-f", path, log="nodes.log")
    wait_for(lambda: accepts(port, node_address(count - 1)), "the nodes")
    return port


class Load:
    """wrk, for some seconds; use as a `with` block, whose end waits for it."""

    def __init__(self, port, seconds):
        self.seconds = seconds
        self.command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "2s", "-s", SCRIPT,
                        f"http://127.0.0.1:{port}/", "--", str(PAUSE)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return self

    def __exit__(self, fault, *_):
        if fault:
            self.process.kill()
        output, _ = self.process.communicate(timeout=self.seconds + 30)
        found = re.search(r"^figures (.*)$", output, re.M)
        if found:
            self.figures = {key: int(value) for key, value in (pair.split("=") for pair in found.group(1).split())}
        elif not fault:
            raise SystemExit(f"wrk failed: {output}")

    @property
    def failed(self):
        return sum(self.figures[kind] for kind in ERRORS)

    @property
    def p99(self):
        """Milliseconds."""
        return self.figures["p99"] / 1000
