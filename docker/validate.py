"""What no schema knows of compose.yaml: that its parts fit each other and docker/native/stack. `validate` runs it."""

import fnmatch
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

DOCKER = Path(__file__).resolve().parent
REPOSITORY = DOCKER.parent
ENTRYPOINT = (DOCKER / "entrypoint").read_text()
NATIVE = "".join(file.read_text() for file in [DOCKER / "native/stack", DOCKER / "jars", *DOCKER.glob("native/lib/*.sh")])
problems: list[str] = []


def claim(holds: bool, words: str) -> None:
    if not holds:
        problems.append(words)


def filled(value: object) -> str:
    """A value as Compose fills it in when nothing is set in the environment."""

    def default(match: re.Match) -> str:
        claim(match[2] is not None, f"{match[0]} has no default")
        return match[2] or ""

    return re.sub(r"[$][{]([A-Z_]+)(?::-([^}]*))?[}]", default, str(value))


def process(service: dict) -> str | None:
    """The name that the entry point gets."""
    words = [*service.get("entrypoint", []), *service.get("command", [])]
    return words[1] if words and words[0] == "/stack/entrypoint" else None


def check_mounts(name: str, service: dict, volumes: dict) -> set[str]:
    """Each mounted file is in the repository, and native uses it. Returns where something is mounted."""
    targets = set()
    for mount in service.get("volumes", []):
        source, target, *mode = mount.split(":")
        targets.add(target)
        if not source.startswith("."):
            claim(source in volumes, f"{name}: the volume {source} is not declared")
            continue
        file = (DOCKER / source).resolve()
        known = subprocess.run(["git", "ls-files", "--", file], cwd=REPOSITORY, capture_output=True, text=True).stdout
        claim(bool(known), f"{name}: {source} is not in the repository")
        claim(mode == ["ro"], f"{name}: {source} is not mounted read-only")
        # `render`s folders are named in a list there.
        used = f"/{file.name}" in NATIVE or f"{file.name} " in NATIVE or f"{file.name}/bundle" in NATIVE
        claim(used or file.name == "entrypoint", f"{name}: docker/native does not use {source}")
    return targets


def check_templates(name: str, service: dict, targets: set[str]) -> int:
    """The real `render` fills in this service's templates from its environment alone."""
    case = re.search(rf"^    {re.escape(process(service))}\)(.*?)^    [a-z*-]+\)", ENTRYPOINT, re.M | re.S)
    claim(case is not None, f"{name}: the entry point knows no {process(service)}")
    environment = {key: filled(value) for key, value in service.get("environment", {}).items()} | {"PATH": os.environ["PATH"]}
    folders = re.findall(r"\./render ([a-z/]+)", case[1] if case else "")
    with tempfile.TemporaryDirectory() as folder:
        for template in folders:
            claim(any(f"/stack/{template}/".startswith(f"{target}/") for target in targets), f"{name}: {template} is not mounted")
            done = subprocess.run([DOCKER / "render", DOCKER / template, folder], env=environment, capture_output=True, text=True)
            claim(done.returncode == 0, f"{name}: {done.stderr.strip()}")
    return len(folders)


def check_service(name: str, compose: dict) -> int:
    service, services = compose["services"][name], compose["services"]
    targets = check_mounts(name, service, compose["volumes"])
    once = service.get("restart") == "no"
    for key in ("mem_limit", "networks", "logging", "restart", *(() if once else ("healthcheck",))):
        claim(key in service, f"{name}: no {key}")
    for port in service.get("ports", []):
        claim(filled(port).startswith("127.0.0.1:"), f"{name}: port {port} is open to other machines")
    for other, wait in service.get("depends_on", {}).items():
        claim(other in services, f"{name}: waits for {other}, which is not there")
        claim("healthcheck" in services.get(other, {}) or wait["condition"] != "service_healthy", f"{other}: has no health")
    words = " ".join([*map(filled, service.get("environment", {}).values()), *map(str, service.get("command", []))])
    for host in re.findall(r"(?:^|[\s/,])([a-z][a-z-]*):\d+", words):
        claim(host in services, f"{name}: speaks of {host}, which is no service")
    build = service.get("build", {})
    claim((DOCKER / build.get("context", "") / build.get("dockerfile", "")).is_file(), f"{name}: no Dockerfile")
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (DOCKER / "Dockerfile").read_text(), re.M)
    claim(build.get("target") in stages, f"{name}: no stage {build.get('target')}")
    return check_templates(name, service, targets) if process(service) else 0


def check_copies() -> None:
    """What the Dockerfile copies is there, and not kept out of the build's context."""
    allowed = [line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().split() if line.startswith("!")]
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", (DOCKER / "Dockerfile").read_text(), re.M):
        for source in sources.split():
            claim((REPOSITORY / source).exists(), f"Dockerfile: {source} is not there")
            claim(any(fnmatch.fnmatch(source, entry) for entry in allowed), f"Dockerfile: {source} is ignored")


def main() -> int:
    compose = YAML(typ="safe").load(DOCKER / "compose.yaml")
    templates = sum(check_service(name, compose) for name in compose["services"])
    used = {mount.split(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])}
    for volume in compose["volumes"]:
        claim(volume in used, f"the volume {volume} is not used")
    check_copies()
    for problem in dict.fromkeys(problems):
        print(f"compose.yaml: {problem}", file=sys.stderr)
    if not problems:
        print(f"compose.yaml: {len(compose['services'])} services fit each other; {templates} folders of templates filled in")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
