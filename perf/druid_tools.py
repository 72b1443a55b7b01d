"""What the scripts of this folder share that use the stack of docker/native: a Kafka and a Druid on this machine."""

import contextlib
import json
import pathlib
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAKES_TOPIC = 1  # Tweets sent before tasks read a topic.
PATIENCE_S = 600  # With Druid, until tasks read or have handed over what they had.
TICKS_PER_S = 100  # Of the times in /proc.


class Stack:
    """Addresses of a Kafka, and of a Druid's router."""

    def __init__(self, druid, kafka):
        self.druid, self.kafka = druid, kafka

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.druid + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def rows(self, name):
        """Rows of a datasource that can be queried now; 0 without an answer."""
        try:
            return self.ask("/druid/v2/sql", {"query": f'SELECT COUNT(*) AS "rows" FROM "{name}"'})[0]["rows"]
        except (OSError, IndexError):
            return 0

    @contextlib.contextmanager
    def read_by_tasks(self, binary, tweets, name, task_duration, *changes):
        """A topic that tasks read, with MAKES_TOPIC tweets; dropped at the end, with its rows. Changes are flags that
        change the spec. The flags for who writes to the topic."""
        topic = ["-t", name, "-q", "--mqtt", "off", "--kafka", self.kafka, "--force"]
        run = {"check": True, "stdout": subprocess.DEVNULL}
        subprocess.run([binary, tweets, "--limit", str(MAKES_TOPIC), *topic], **run)
        submit = ["druid", "submit", "-t", name, "--druid-kafka", self.kafka, "--task-duration", task_duration, *changes]
        subprocess.run([binary, *submit, "--druid", self.druid], **run)
        try:
            wait_for(lambda: self.rows(name), f"{name} is not read")
            yield topic
        finally:
            subprocess.run([binary, "druid", "terminate", name, "--druid", self.druid], **run)
            wait_for(lambda: not self.running(name), f"the tasks of {name} do not end")
            path = f"{self.druid}/druid/coordinator/v1/datasources/{name}"
            urllib.request.urlopen(urllib.request.Request(path, method="DELETE"), timeout=30).close()
            kafka_tool("topics", "--delete", "--topic", name)

    def running(self, name):
        """The tasks of a datasource."""
        return [task for task in self.ask("/druid/indexer/v1/runningTasks") if task["dataSource"] == name]


def wait_for(is_so, else_words):
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            sys.exit(else_words)
        time.sleep(1)


def kafka_tool(*words):
    """Has a tool of Kafka's do something, if it is that of docker/native/stack; whether it could."""
    command = [ROOT / "docker/native/stack", *words]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def cpu_s():
    """Seconds of CPU that each process of a Druid on this machine has used, by its part."""
    used = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().split("\0")
            times = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        except OSError:
            continue  # It has ended.
        if "org.apache.druid.cli.Main" in words:
            used[words[words.index("org.apache.druid.cli.Main") + 2]] = sum(map(int, times)) / TICKS_PER_S
    return used
