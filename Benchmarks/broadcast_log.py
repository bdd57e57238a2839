"""The log broadcast against a running RabbitMQ: what a call of `logger.info` costs, what a viewer keeps up with, and memory.

The bars are those of the project: under 2 microseconds at p50 and 20 at p99 on the calling thread, with the broker up,
blocked and down; 30,000 records a second with none missed; under 50 ms from the call to the screen of `logcast tail` at
1,000 a second; under 30 MB resident after ten million records. A viewer whose reader has stopped keeps about 16 MiB of what
comes, whatever its length, and the broker as much beside its queue of 64 MiB; one that goes on has all of that in turn.
"""

import datetime
import json
import os
import pty
import subprocess
import sys
import threading
import time

from stand import free_port, percentile, row, status, wait_for

# Records of 10 MB, one after the other, each when the broker has the one before.
LARGE = """
import json, sys, pika
connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
channel = connection.channel()
channel.confirm_delivery()
body = json.dumps({"message": "x" * 10_000_000, "level": "INFO", "machine": "large"}).encode()
for _ in range(int(sys.argv[2])):
    channel.basic_publish("broadcast.fanout", "", body)
connection.close()
"""


def measure_log(program, logcast, environment, port, is_quick, pika):
    """`environment` is that of the broker, for rabbitmqctl; `pika` the folder with it."""
    up, down = f"amqp://guest@127.0.0.1:{port}", f"amqp://guest@127.0.0.1:{free_port()}"
    measure_cost(program, "broker up", up, is_quick)
    control(environment, "set_vm_memory_high_watermark", "0.0001")
    # The broker looks for it every second.
    time.sleep(3)
    measure_cost(program, "broker blocked", up, is_quick)
    control(environment, "set_vm_memory_high_watermark", "0.6")
    measure_cost(program, "broker down", down, is_quick)
    measure_viewer(program, up, 300_000 if is_quick else 900_000)
    measure_tail(program, logcast, up, 5_000 if is_quick else 30_000)
    measure_memory(program, up, 1_000_000 if is_quick else 10_000_000)
    measure_stopped_tail(logcast, up, port, pika, 30 if is_quick else 100)


def control(environment, *arguments):
    subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "-n", environment["RABBITMQ_NODENAME"], *arguments],
                   env=environment, check=True, stdout=subprocess.DEVNULL)


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return [int(number) for number in done.stdout.split()]


def measure_cost(program, name, url, is_quick):
    for pace, calls, label in ((0, 1_000_000, "as fast as can be"), (20_000, 200_000, "50,000 a second"),
                               (1_000_000, 5_000, "1,000 a second")):
        p50, p99 = run(program, "cost", url, calls // 5 if is_quick else calls, pace)
        row(f"logger.info, {name}, {label}: p50, p99", f"{p50 / 1000:.2f}, {p99 / 1000:.2f} us", "under 2, 20 us")


def measure_viewer(program, url, count):
    viewer = subprocess.Popen([program, "view", url, str(count)], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    try:
        viewer.stdout.readline()
        rate, left, _ = run(program, "send", url, count, 30_000)
        row("logged for a viewer", f"{rate:,} records/s", f"({left} left over)")
        rate, missed, cpu, resident = (int(number) for number in viewer.communicate(timeout=60)[0].split())
        row("seen by the viewer", f"{rate:,} records/s", "at least 30,000" if missed == 0 else f"MISSED {missed}")
        row("the viewer's CPU, and its resident memory", f"{cpu} s, {resident / 1024:.1f} MiB", f"({count:,} records)")
    finally:
        viewer.kill()
        viewer.wait()


def measure_tail(program, logcast, url, count):
    """From the call, whose time is in the record, until a line can be read from the terminal that `logcast tail` writes to."""
    terminal, screen = pty.openpty()
    tail = subprocess.Popen([logcast, "tail", "--url", url, "--json"], stdout=screen, stderr=subprocess.DEVNULL)
    os.close(screen)
    delays = []

    def read():
        with os.fdopen(terminal, "rb", buffering=0) as lines:
            rest = b""
            while len(delays) < count:
                rest += lines.read(65536)
                now = time.time()
                *whole, rest = rest.split(b"\n")
                for line in whole:
                    called = json.loads(line)["timestamp"]
                    delays.append(now - datetime.datetime.fromisoformat(called.replace("Z", "+00:00")).timestamp())

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    try:
        # What is logged before the viewer's queue is there is not for it.
        wait_for(lambda: run(program, "send", url, 1, 1_000) and delays, "logcast tail")
        time.sleep(1)
        delays.clear()
        rate, _, _ = run(program, "send", url, count, 1_000)
        reading.join(timeout=10)
        row(f"logcast tail, call to screen at {rate:,} records/s: p50", f"{percentile(delays, 0.5) * 1000:.1f} ms",
            "under 50 ms" if len(delays) >= count else f"MISSED {count - len(delays)}")
        row("  p99, slowest", f"{percentile(delays, 0.99) * 1000:.1f}, {max(delays) * 1000:.1f} ms", "under 50 ms")
    finally:
        tail.kill()
        tail.wait()


def measure_memory(program, url, count):
    """Nobody watches: the broker takes what comes, and drops it."""
    rate, left, resident = run(program, "send", url, count, 40_000)
    row(f"resident after {count:,} records", f"{resident / 1024:.1f} MiB", "under 30 MB")
    row("at", f"{rate:,} records/s", f"({left} left over)")


def measure_stopped_tail(logcast, url, port, pika, count):
    """`logcast tail` whose output nobody reads, then somebody does."""
    tail = subprocess.Popen([logcast, "tail", "--url", url, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        # "watching": from here on it has what comes.
        tail.stderr.readline()
        sending = dict(os.environ, PYTHONPATH=pika)
        subprocess.run([sys.executable, "-c", LARGE, str(port), str(count)], env=sending, check=True)
        time.sleep(2)
        row(f"logcast tail that is stopped, {count} records of 10 MB: resident", f"{status(tail.pid, 'VmRSS') / 1024:.0f} MiB",
            "about 16 MiB of records, and what one takes to show")
        shown = 0
        while shown < 3:
            shown += tail.stdout.read(1 << 20).count(b"\n")
        row("  after its reader goes on: resident at most", f"{status(tail.pid, 'VmHWM') / 1024:.0f} MiB")
    finally:
        tail.kill()
        tail.wait()
