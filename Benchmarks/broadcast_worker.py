"""What the log broadcast costs a job of libra_worker: STATS without it, with a broker, and with one that has stopped, that
hangs with its connections open, and that takes nothing because its memory is short.

The bar is the project's: the 99th percentile with a broker that fails is that without a broadcast. The worker broadcasts all
of its log, and before it is timed it has more to say than it may keep.
"""

import json
import os
import signal
import time

from broadcast_log import control
from gearman_wire import Client
from jobs import action, passed, silent_nodes, update
from stand import Stand, free_port, median, milliseconds, percentile, row, wait_for

# So much goes into the log twice for each job, as the request and as the answer: the 6 MiB that the worker keeps are soon full.
FILLER = json.dumps({"hpcs_action": "STATS", "note": "x" * 100_000}).encode()


def measure_worker(program, logcast, environment, broker, broker_port, is_quick):
    rounds, count = (3, 300) if is_quick else (5, 1000)
    url = f"amqp://guest@127.0.0.1:{broker_port}"
    states = {
        "without a broadcast": ("without", nothing, nothing),
        "broker up": ("with", nothing, nothing),
        "broker stopped": ("with", lambda: control(environment, "stop_app"), lambda: control(environment, "start_app")),
        "broker hangs": ("with", lambda: broker.send_signal(signal.SIGSTOP), lambda: broker.send_signal(signal.SIGCONT)),
        "memory alarm": ("with", lambda: alarm(environment), lambda: end_alarm(environment)),
    }
    with Stand() as stand:
        port = stand.gearmand()
        client = Client(port)
        notices = os.path.join(stand.folder, "notices.log")
        stand.start(logcast, "tail", "--url", url, "--logger", "libra.broadcast", log="notices.log")
        broadcast = f"[broadcast]\nurl = {url}\nlevel = debug\n"
        for name, configuration in (("without", ""), ("with", broadcast)):
            stand.worker(program, port, name, configuration=configuration)
            passed(client.submit(name, update(free_port(), silent_nodes(10))))
        times = {name: [] for name in states}
        for _ in range(rounds):
            for name, (function, begin, end) in states.items():
                begin()
                if begin is not nothing:
                    for _ in range(40):
                        passed(client.submit(function, FILLER))
                told = text(notices).count("were dropped")
                times[name].append(timed(client, function, count))
                end()
                if begin is not nothing:
                    # That it tells of drops says that it was full; then it has caught up too.
                    wait_for(lambda: text(notices).count("were dropped") > told, f"a notice of drops ({name})", 60)
        base = median([p99 for _, p99 in times["without a broadcast"]])
        for name, values in times.items():
            p50s, p99s = zip(*values)
            row(f"libra_worker, STATS, {name}: p50, p99", f"{median(p50s):.2f}, {median(p99s):.2f} ms",
                f"{median(p99s) / base:.2f} of that without; bar: 1   (p99 {min(p99s):.2f} to {max(p99s):.2f})")


def timed(client, function, count):
    workload = action("STATS")
    times = [milliseconds(lambda: passed(client.submit(function, workload))) for _ in range(count)]
    return percentile(times, 0.5), percentile(times, 0.99)


def nothing():
    pass


def alarm(environment):
    control(environment, "set_vm_memory_high_watermark", "0.0001")
    # The broker looks for it every second, and tells those who publish with what comes first from them.
    time.sleep(3)


def end_alarm(environment):
    control(environment, "set_vm_memory_high_watermark", "0.6")


def text(path):
    with open(path, errors="replace") as file:
        return file.read()
