"""Lines as HAProxy's access log has them, 130 bytes long, the same for the same seed."""

import itertools
import random

LENGTH = 130
METHODS = ("GET",) * 8 + ("POST", "PUT")
STATUSES = (200,) * 14 + (301, 304, 304, 404, 500, 503)


def access_lines(seed):
    """Lines without end, as bytes without a line feed; each has its number in it."""
    chance = random.Random(seed)
    forms = [form(chance) for _ in range(5000)]
    for number in itertools.count():
        head, tail = forms[number % len(forms)]
        yield b"%b%010d%b" % (head, number, tail)


def form(chance):
    """What stands before and after the number of a line."""
    number = chance.randrange
    client = f"10.{number(64)}.{number(256)}.{number(1, 255)}:{number(32768, 61000)}"
    server = f"pool-{number(20)}/node-{number(100)}"
    times = f"{number(3)}/0/{number(2)}/{number(300)}/{number(400)} {chance.choice(STATUSES)}"
    head = f"{client} [21/Nov/2026:11:50:10.{number(1000):03d}] www {server} {times} "
    tail = f" - - ---- {number(100)}/{number(90)}/0/0/0 0/0 \"{chance.choice(METHODS)} /"
    room = LENGTH - len(head) - 10 - len(tail) - 1
    if room < 1:
        return form(chance)
    path = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789/", k=room))
    return head.encode(), (tail + path + '"').encode()


def write_lines(path, count, seed):
    """Writes a file of so many lines."""
    lines = access_lines(seed)
    with open(path, "wb") as file:
        for start in range(0, count, 10000):
            block = list(itertools.islice(lines, min(10000, count - start)))
            if any(len(line) != LENGTH for line in block):
                raise SystemExit("a line has not the length that it should have")
            file.write(b"\n".join(block) + b"\n")
