"""The jobs that the benchmarks send: UPDATEs of one balancer, and changes of its nodes that need no reload."""

import json
import time


def node(number, address, port=9, weight=1):
    return {"id": str(number), "address": address, "port": port, "weight": weight}


def silent_nodes(count):
    """Nodes at which nobody answers, which is all the same to an UPDATE."""
    return [node(n, silent_address(n)) for n in range(count)]


def silent_address(number):
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


def update(port, nodes, timeout=30000, delay=3600):
    return json.dumps({
        "hpcs_action": "UPDATE",
        "loadBalancers": [{
            "id": "1", "protocol": "HTTP", "address": "127.0.0.1", "port": port,
            "options": {"client_timeout": timeout},
            "monitor": {"type": "CONNECT", "delay": delay, "timeout": 10, "attempts": 2},
            "nodes": nodes,
        }],
    }).encode()


def action(name):
    return json.dumps({"hpcs_action": name}).encode()


def passed(reply):
    if json.loads(reply)["hpcs_response"] != "PASS":
        raise SystemExit(f"a job failed: {reply[-500:]}")


def timed(client, function, workload):
    """Milliseconds from sending a job to having its answer; what the client does with the answer is not in them."""
    start = time.perf_counter()
    reply = client.submit(function, workload)
    taken = (time.perf_counter() - start) * 1000
    passed(reply)
    return taken


class ChangingNodes:
    """Nodes that change in turn, each in every way that needs no reload, so that in the end all were replaced."""

    def __init__(self, count, place):
        """`place` gives the address and the port with a number; each is in use once at a time if it has 3 * count."""
        self.place = place
        self.made = 0
        self.places = 0
        self.turn = 0
        self.list = []
        for _ in range(count):
            self.add()
        self.steps = [self.weigh, self.drain, self.enable, self.add, self.disable, self.enable, self.move, self.remove]

    def change(self):
        self.steps[self.turn % len(self.steps)]()
        self.turn += 1

    def chosen(self):
        """The node of this round of changes, never the oldest, which is the next to be removed."""
        return self.list[1 + self.turn // len(self.steps) % (len(self.list) - 2)]

    def next_place(self):
        self.places += 1
        return self.place(self.places - 1)

    def weigh(self):
        self.chosen()["weight"] = 1 + (self.chosen()["weight"] + self.turn) % 10

    def drain(self):
        self.chosen()["condition"] = "DRAINING"

    def disable(self):
        self.chosen()["condition"] = "DISABLED"

    def enable(self):
        self.chosen()["condition"] = "ENABLED"

    def add(self):
        self.list.append(node(self.made, *self.next_place()))
        self.made += 1

    def move(self):
        self.chosen()["address"], self.chosen()["port"] = self.next_place()

    def remove(self):
        self.list.pop(0)
