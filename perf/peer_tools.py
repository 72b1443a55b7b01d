"""The programs that perf/peers runs beside tweetblast: each from its package, or None with a word why not; and what it
takes to measure them: CPU time of processes, a broker of each kind, the end of a Kafka topic."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import common

CACHE = pathlib.Path(os.environ.get("TWEETBLAST_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tweetblast")
TELEGRAF = "v1.37.2"
TELEGRAF_TAGS = "custom,inputs.mqtt_consumer,inputs.tail,outputs.kafka,parsers.value,serializers.template"
RMQTT = "0.23.1"
# RMQTT's program `rmqttd` has all of its plugins, which take protoc and OpenSSL to build; this is the same broker with one of them.
RMQTT_MANIFEST = f"""
[package]
name = "rmqtt-with-kafka"
version = "0.0.0"
edition = "2021"

[dependencies]
env_logger = "0.11"
rmqtt = {{ version = "={RMQTT}", features = ["plugin"] }}
rmqtt-bridge-egress-kafka = "={RMQTT}"
tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}
"""
RMQTT_MAIN = """
use rmqtt::{context::ServerContext, net::{Builder, Result}, server::MqttServer};

#[tokio::main]
async fn main() -> Result<()> {
    env_logger::init();
    let arguments: Vec<String> = std::env::args().collect();
    let context = ServerContext::new().plugins_config_dir(arguments[2].as_str()).build().await;
    rmqtt_bridge_egress_kafka::register(&context, true, false).await?;
    let listener = Builder::new().name("tcp").laddr(arguments[1].parse()?).reuseaddr(Some(true)).nodelay(true).bind()?.tcp()?;
    MqttServer::new(context).listener(listener).build().run().await
}
"""
PRODUCER_SETTINGS = {"acks": "all", "enable.idempotence": "true", "compression.type": "lz4", "linger.ms": "5"}
TICKS = os.sysconf("SC_CLK_TCK")


def program(name):
    """A program of a Debian package (with sbin, where brokers live)."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def telegraf(build=True):
    """Path of a Telegraf with three plugins, built from its Go module once; or (None, why not)."""
    built = CACHE / f"telegraf-{TELEGRAF}"
    if built.exists():
        return str(built), None
    if not build:
        return None, "it was not built before"
    if not shutil.which("go"):
        return None, "go is missing"
    common.note(f"building Telegraf {TELEGRAF} (once, a minute or two)")
    with tempfile.TemporaryDirectory() as work:
        source = pathlib.Path(work) / "telegraf"
        module = f"github.com/influxdata/telegraf@{TELEGRAF}"
        found = subprocess.run(["go", "mod", "download", "-json", module], cwd=work, capture_output=True, text=True)
        if found.returncode:
            return None, f"go cannot fetch {module}"
        shutil.copytree(common.json.loads(found.stdout)["Dir"], source, copy_function=shutil.copy)
        subprocess.run(["chmod", "-R", "u+w", source], check=True)
        build = subprocess.run(["go", "build", "-ldflags", "-s -w", "-tags", TELEGRAF_TAGS, "-o", "built", "./cmd/telegraf"],
                               cwd=source, capture_output=True, text=True)
        if build.returncode:
            return None, f"Telegraf does not build: {build.stderr.strip().splitlines()[-1:]}"
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.move(source / "built", built)
    return str(built), None


def rmqtt():
    """Path of an RMQTT with its plugin for Kafka, built from its crates once, to be run with its address and the folder of the
    plugin's settings; or (None, why not)."""
    built = CACHE / f"rmqtt-{RMQTT}"
    if built.exists():
        return str(built), None
    if not shutil.which("cargo") or not shutil.which("cmake"):
        return None, "cargo or cmake is missing"
    common.note(f"building RMQTT {RMQTT} (once, some minutes)")
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "src").mkdir()
        (work / "Cargo.toml").write_text(RMQTT_MANIFEST)
        (work / "src/main.rs").write_text(RMQTT_MAIN)
        build = subprocess.run(["cargo", "build", "--release", "--target-dir", work / "target"], cwd=work, capture_output=True, text=True)
        if build.returncode:
            return None, f"RMQTT does not build: {build.stderr.strip().splitlines()[-5:]}"
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.move(work / "target/release/rmqtt-with-kafka", built)
    return str(built), None


def python():
    """Path of a Python with paho-mqtt and confluent-kafka, in a venv made once; or (None, why not)."""
    venv = CACHE / "peers-venv"
    interpreter = venv / "bin/python"
    if (venv / "complete").exists():
        return str(interpreter), None
    common.note("installing paho-mqtt and confluent-kafka (once)")
    for command in (["python3", "-m", "venv", venv], [venv / "bin/pip", "install", "-q", "paho-mqtt>=2", "confluent-kafka>=2"]):
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            return None, f"no Python with paho-mqtt and confluent-kafka: {made.stderr.strip().splitlines()[-1:]}"
    (venv / "complete").touch()
    return str(interpreter), None


class Process:
    """A program in the background, ended by its process id; its CPU time in seconds."""

    def __init__(self, command, ready=None, log=None):
        self.log = log
        out = open(log, "wb") if log else subprocess.DEVNULL
        self.process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT)
        if ready:
            self.wait_until(ready)

    def wait_until(self, ready):
        for _ in range(600):
            if self.process.poll() is not None:
                words = pathlib.Path(self.log).read_text(errors="replace")[-600:] if self.log else ""
                raise RuntimeError(f"it ended at once: {words}")
            if ready():
                return
            time.sleep(0.05)
        self.end()
        raise RuntimeError("it was not ready after 30 s")

    def cpu_s(self):
        return cpu_s_of(self.process.pid)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def cpu_s_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run(command):
    """Runs a program to its end: its words, wall time and CPU time, its children's included."""
    before, began = os.times(), time.monotonic()
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
    took, after = time.monotonic() - began, os.times()
    if ran.returncode:
        raise RuntimeError(f"{command[0]} ended with code {ran.returncode}: {(ran.stderr or ran.stdout).strip()[-600:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return ran.stdout, took, cpu


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    def ready():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    return ready


def mosquitto(folder):
    """A mosquitto whose queues have no bound: with its stock limits it loses most of this, unseen."""
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
                        "max_inflight_messages 20000\nset_tcp_nodelay true\n")
    return port, Process([program("mosquitto"), "-c", settings], listens(port))


class Kafka:
    """A real Kafka by docker/native/stack, with a state folder and ports of its own."""

    def __init__(self, folder):
        port = free_port()
        self.environment = {**os.environ, "TWEETBLAST_STACK_DIR": str(folder / "stack"), "KAFKA_PORT": str(port),
                            "KAFKA_CONTROLLER_PORT": str(free_port())}
        self.brokers = f"127.0.0.1:{port}"
        self.stack("up", "kafka")
        status = self.stack("status", "kafka").splitlines()
        self.pid = int(next(line.split()[2] for line in status if line.startswith("kafka")))

    def stack(self, *words):
        command = [common.ROOT / "docker/native/stack", *words]
        ran = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"docker/native/stack {' '.join(words)}: {ran.stderr or ran.stdout}")
        return ran.stdout

    def end_offset(self, topic):
        told = common.output("kcat", "-Q", "-b", self.brokers, "-t", f"{topic}:0:-1")
        return int(told.rsplit(" ", 1)[1])

    def wait_for(self, topic, count):
        """Until the topic has so many; gives up when nothing came for 15 s."""
        last, since = -1, time.monotonic()
        while (now := self.end_offset(topic)) < count:
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > 15:
                raise RuntimeError(f"{now} of {count} messages arrived in Kafka, the rest is lost")
            time.sleep(0.05)
        if now > count:
            raise RuntimeError(f"{now} messages in Kafka instead of {count}")

    def jars(self):
        version = next(line.split("=")[1] for line in (common.ROOT / "docker/versions.env").read_text().splitlines()
                       if line.startswith("KAFKA_VERSION="))
        return CACHE / f"kafka-{version}"
