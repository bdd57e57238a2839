"""What the log broadcast costs a job of libra_worker: STATS without it, with a broker, and with one that has stopped.

The bar is the project's: the 99th percentile with the broker stopped is that without.
"""

from broadcast_log import control
from gearman_wire import Client
from jobs import action, passed, silent_nodes, update
from stand import Stand, free_port, median, milliseconds, percentile, row


def measure_worker(program, environment, broker_port, is_quick):
    rounds, count = (3, 300) if is_quick else (5, 1000)
    with Stand() as stand:
        port = stand.gearmand()
        client = Client(port)
        broadcast = f"[broadcast]\nurl = amqp://guest@127.0.0.1:{broker_port}\nlevel = info\n"
        for name, configuration in (("without", ""), ("with", broadcast)):
            stand.worker(program, port, name, configuration=configuration)
            passed(client.submit(name, update(free_port(), silent_nodes(10))))
        slowest = {"without a broadcast": [], "broker up": [], "broker stopped": []}
        for _ in range(rounds):
            slowest["without a broadcast"].append(p99(client, "without", count))
            slowest["broker up"].append(p99(client, "with", count))
            control(environment, "stop_app")
            slowest["broker stopped"].append(p99(client, "with", count))
            control(environment, "start_app")
        for name, values in slowest.items():
            row(f"libra_worker, STATS, {name}: p99", f"{median(values):.2f} ms", f"({min(values):.2f} to {max(values):.2f})")


def p99(client, function, count):
    workload = action("STATS")
    return percentile([milliseconds(lambda: passed(client.submit(function, workload))) for _ in range(count)], 0.99)
