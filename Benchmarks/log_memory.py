"""Resident memory of the log tools: idle, under load, and with receivers that do not read."""

import itertools
import os
import select
import shutil
import signal
import subprocess
import time

from log_lines import access_lines
from log_peers import Receiver, Sender, endpoint, environment
from stand import row

# What is offered at most, in bytes: with a spool a sender takes in all of it.
OFFER = 256 << 20
# Of the block that is sent again and again.
LINES = 5000
CONTROLS = "1 MiB of control characters"
LOAD = {
    "130 B": None,
    "100 KB": b"x" * 100_000,
    "1 MiB": b"x" * (1 << 20),
    # Six times as long in JSON.
    CONTROLS: b"\x01" * (1 << 20),
}
PLAIN = ("130 B", "100 KB", "1 MiB")


class Memory:
    """One tool after the other, each fed through a pipe."""

    def __init__(self, stand, tools, puller, seed):
        self.stand, self.puller = stand, puller
        self.hayrack, self.zmqpush = os.path.join(tools, "hayrack"), os.path.join(tools, "zmqpush")
        self.block = b"".join(line + b"\n" for line in itertools.islice(access_lines(seed), LINES))

    def hayrack_serve(self, *options):
        return lambda address: [self.hayrack, "serve", *options, "--bind", address]

    def zmqpush_to(self, *options):
        return lambda address: [self.zmqpush, "syslog", *options, "--connect", address]

    def idle(self, command):
        """MB of a sender that nothing was sent to."""
        sender = self.start(command(endpoint()))
        resident = sender.resident()
        sender.end()
        return resident

    def under_load(self, command, side, lines):
        """MB above idle, at most, while a receiver takes all."""
        address = endpoint()
        receiver = Receiver(self.stand, [self.puller, side, address, str(lines), "lines"], lines)
        sender = self.start(command(address))
        idle = sender.resident()
        for _ in range(lines // LINES):
            sender.process.stdin.write(self.block)
        sender.process.stdin.flush()
        receiver.finish()
        growth = sender.resident("VmHWM") - idle
        sender.process.stdin.close()
        sender.finish()
        return growth

    def blocked(self, command, receiver, kind):
        """MB above idle, at most, with a receiver that does not read, and MB that were taken in until no more was."""
        address, spool = endpoint(), os.path.join(self.stand.folder, "memory-spool")
        process = receiver(address)
        sender = self.start([spool if word == "SPOOL" else word for word in command(address)])
        idle = sender.resident()
        if process:
            process.send_signal(signal.SIGSTOP)
        taken = fill(sender.process.stdin.fileno(), LOAD[kind] + b"\n" if LOAD[kind] else self.block)
        growth = sender.resident("VmHWM") - idle
        sender.end()
        if process:
            process.kill()
            process.wait()
        shutil.rmtree(spool, ignore_errors=True)
        return growth, taken / 1e6

    def start(self, command):
        """Starts a sender, which is idle and connected then."""
        sender = Sender(self.stand, command, subprocess.PIPE)
        time.sleep(1)
        return sender

    def pull(self, side):
        """A receiver in C that reads nothing, even before it is stopped."""
        return lambda address: Receiver(self.stand, [self.puller, side, address, "1", "never"], 1).process

    def reliable(self, address):
        """`hayrack receive`, which is stopped when it has connected."""
        command = [self.hayrack, "receive", "--delivery", "reliable", address]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment())
        self.stand.children.append(process)
        return process

    def nobody(self, _):
        return None


def fill(descriptor, block):
    """Writes to a pipe until nothing is taken for two seconds; returns how many bytes were."""
    os.set_blocking(descriptor, False)
    view, taken, place = memoryview(block), 0, 0
    while taken < OFFER and select.select([], [descriptor], [], 2)[1]:
        count = os.write(descriptor, view[place:])
        taken, place = taken + count, (place + count) % len(block)
    return taken


def measure_memory(stand, tools, puller, lines, seed):
    memory = Memory(stand, tools, puller, seed)
    serve, push = memory.hayrack_serve, memory.zmqpush_to
    row("hayrack serve, idle, resident", f"{memory.idle(serve()):.1f} MB", "under 30 MB")
    row("zmqpush, idle, resident", f"{memory.idle(push()):.1f} MB", "under 30 MB")
    for name, command, side in (("hayrack serve", serve(), "connect"), ("zmqpush", push(), "bind")):
        growth = memory.under_load(command, side, lines)
        row(f"{name}, {lines} lines to a receiver in C", f"+{growth:.1f} MB", "at most 10 MB")
    slow = memory.pull("connect")
    cases = [
        ("hayrack serve", serve(), slow, PLAIN),
        ("hayrack serve --batch", serve("--batch", "500"), slow, PLAIN),
        ("hayrack serve --when-full drop-oldest", serve("--when-full", "drop-oldest"), slow, PLAIN),
        ("hayrack serve --spool", serve("--spool", "SPOOL"), slow, PLAIN),
        ("hayrack serve --delivery reliable", serve("--delivery", "reliable"), memory.reliable, PLAIN),
        ("zmqpush", push(), memory.pull("bind"), LOAD),
        ("zmqpush --batch", push("--batch", "500"), memory.pull("bind"), (CONTROLS,)),
        ("zmqpush --spool", push("--spool", "SPOOL"), memory.pull("bind"), ("130 B", "1 MiB", CONTROLS)),
        ("zmqpush --when-full drop-oldest", push("--when-full", "drop-oldest"), memory.pull("bind"),
         ("130 B", "1 MiB", CONTROLS)),
        ("zmqpush, nobody there", push(), memory.nobody, ("130 B", "1 MiB", CONTROLS)),
        ("zmqpush --spool, nobody there", push("--spool", "SPOOL"), memory.nobody, (CONTROLS,)),
        ("zmqpush --delivery reliable, nobody there", push("--delivery", "reliable"), memory.nobody, ("1 MiB", CONTROLS)),
        ("zmqpush --delivery reliable --spool, nobody there", push("--delivery", "reliable", "--spool", "SPOOL"),
         memory.nobody, (CONTROLS,)),
    ]
    for name, command, receiver, kinds in cases:
        for kind in kinds:
            growth, taken = memory.blocked(command, receiver, kind)
            row(f"{name}, never read, {kind}", f"+{growth:.1f} MB", f"at most 10 MB (took in {taken:.1f} MB)")
