"""What the scripts of this folder share: running benches, reading what criterion and callgrind measured, medians."""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Benches that criterion runs; `instructions` is callgrind's.
HOPS = ["source", "tweet", "pace", "bridge", "mqtt", "kafka_producer", "kafka_embedded", "pipeline"]


def fail(words):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {words}")


def note(words):
    print(words, file=sys.stderr, flush=True)


def output(*command, cwd=ROOT):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def target_folder():
    return pathlib.Path(json.loads(output("cargo", "metadata", "--format-version", "1", "--no-deps"))["target_directory"])


def add_quick(parser):
    parser.add_argument("--quick", action="store_true", help="each part once, with little to do and unoptimized programs: "
                        "shows that the script works, and its figures mean nothing")


# For criterion; a bench that takes longer for one pass takes longer.
QUICK = ["--warm-up-time", "0.05", "--measurement-time", "0.1", "--sample-size", "10"]


def median(values):
    return statistics.median(values)


def spread(values):
    """Half of the range, as a share of the median."""
    return (max(values) - min(values)) / 2 / median(values)


def lacking_for_instructions():
    """The first program that is missing to count instructions, or None."""
    return next((tool for tool in ("valgrind", "gungraun-runner") if not shutil.which(tool)), None)


def machine():
    """What a figure depends on besides the code."""
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    return {
        "cpu": model[1].strip() if model else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "kernel": " ".join((os.uname().sysname, os.uname().release, os.uname().machine)),
        "compiler": output("rustc", "-V"),
    }


def instructions_key():
    """What instruction counts depend on besides the code: compiler and target features, the features of the CPU by
    which crates choose their code at run time, and the libraries and the emulator below."""
    rustc = dict(line.split(": ", 1) for line in output("rustc", "-vV").splitlines()[1:])
    flags = os.environ.get("RUSTFLAGS", "").split()
    features = re.findall(r'target_feature="(.*?)"', output("rustc", "--print", "cfg", *flags))
    cpu_flags = re.search(r"^(?:flags|Features)\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    chosen_by = {"avx2", "bmi2", "pclmulqdq", "popcnt", "sse4_2", "asimd", "crc32", "pmull"}
    cpu = sorted(chosen_by & set(cpu_flags[1].split() if cpu_flags else ()))
    return ", ".join((
        f"rustc {rustc['release']} ({rustc['commit-hash'][:9]})",
        f"{rustc['host']} {'+'.join(sorted(features))}",
        f"CPU {'+'.join(cpu)}",
        os.confstr("CS_GNU_LIBC_VERSION") or "libc",
        output("valgrind", "--version"),
    ))


def count_instructions(bench, cwd=ROOT):
    """Rows of benches/instructions.rs, `hop/case`, with their counts. `bench` is its executable."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "GUNGRAUN_HOME": home, "GUNGRAUN_OUTPUT_FORMAT": "json",
                       "CARGO_MANIFEST_DIR": str(cwd)}
        counted = subprocess.run([bench, "--bench"], cwd=cwd, env=environment, capture_output=True, text=True)
    rows = {}
    for line in counted.stdout.splitlines():
        if line.startswith("{"):
            summary = json.loads(line)
            callgrind = next(profile for profile in summary["profiles"] if profile["tool"] == "Callgrind")
            count = callgrind["data"]["total"]["metrics"]["Ir"]["values"]["new"]
            rows[f"{summary['function_name']}/{summary['id']}"] = count
    if counted.returncode or not rows:
        fail(f"instructions could not be counted:\n{counted.stderr}")
    return rows


def build_benches(names, cwd=ROOT, environment=None, quick=False):
    """Builds benches and gives the path of each executable."""
    command = ["cargo", "test" if quick else "bench", "--locked", "--no-run", "--message-format=json-render-diagnostics"]
    for name in names:
        command += ["--bench", name]
    built = subprocess.run(command, cwd=cwd, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True)
    if built.returncode:
        fail("the benches do not build")
    executables = {}
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["kind"] == ["bench"]:
            executables[message["target"]["name"]] = message["executable"]
    return executables


def run_criterion(bench, options=(), cwd=ROOT):
    """Runs a criterion bench and gives {row: {"ns": median, "low", "high": its 95 % interval, "bytes" or "elements"}}."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "CRITERION_HOME": home, "CARGO_MANIFEST_DIR": str(cwd)}
        ran = subprocess.run([bench, "--bench", "--noplot", *options], cwd=cwd, env=environment,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if ran.returncode:
            fail(f"{pathlib.Path(bench).name} failed:\n{ran.stderr}")
        rows = {}
        for path in pathlib.Path(home).glob("**/new/benchmark.json"):
            about = json.loads(path.read_text())
            middle = json.loads((path.parent / "estimates.json").read_text())["median"]
            interval = middle["confidence_interval"]
            row = {"ns": middle["point_estimate"], "low": interval["lower_bound"], "high": interval["upper_bound"]}
            throughput = about.get("throughput") or {}
            row.update({unit.lower(): size for unit, size in throughput.items()})
            rows[about["full_id"]] = row
    return rows


def figure(row, ns=None):
    """A time in the words of its throughput: bytes a second, or nanoseconds an element."""
    ns = row["ns"] if ns is None else ns
    if "bytes" in row:
        return f"{row['bytes'] / ns:.3g} GB/s"
    if "elements" in row:
        return f"{ns / row['elements']:.4g} ns each"
    return f"{ns / 1e6:.4g} ms"


def share_of_limit(row, ns, limit_row, limit):
    """How much of its limit a row reaches, in speed: 1 where it costs no more."""
    unit = next((unit for unit in ("bytes", "elements") if unit in row and unit in limit_row), None)
    limit_ns, times = limit_row["ns"], (1, 1)
    if unit:
        times = (row[unit], limit_row[unit])
    return f"{times[0] / ns / (times[1] / limit_ns):.2f} of {limit.split('/')[1]}"


def limit_of(name, rows):
    """The row that is the limit of `name`: of those in its group whose case ends in `_limit`, the one that shares most
    parts of the name; None for a limit itself and for a group without one."""
    parts = name.split("/")
    if is_limit(name):
        return None
    limits = [other for other in rows if is_limit(other) and other.split("/")[0] == parts[0]]
    return max(limits, key=lambda other: len(set(parts) & set(other.split("/"))), default=None)


def is_limit(name):
    return "_limit" in name


def build_binary(quick=False):
    return build("tweetblast", ["--bin", "tweetblast"], quick)


def build_example(name, quick=False):
    return build(f"examples/{name}", ["--example", name], quick)


def build(path, what, quick):
    # The program and the examples together have the features of the tests, for which all of it is built already.
    command = ["--bins", "--examples"] if quick else ["--release", *what]
    if subprocess.run(["cargo", "build", "--locked", "--quiet", *command], cwd=ROOT).returncode:
        fail(f"{path} does not build")
    return str(target_folder() / ("debug" if quick else "release") / path)


def replay_report(command):
    """Runs a replay and gives its JSON report; its ledger must be balanced."""
    ran = subprocess.run([*command, "--quiet", "--json", "-"], capture_output=True, text=True)
    if ran.returncode:
        fail(f"{' '.join(command)} ended with code {ran.returncode}:\n{ran.stderr}")
    report = json.loads(ran.stdout)
    if report["verdict"] != "balanced":
        fail(f"{' '.join(command)}: the ledger is {report['verdict']}: {report['reasons']}")
    return report
