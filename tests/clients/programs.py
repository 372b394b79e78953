"""Programs in other languages: how each is built, and how it is started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FETCHED_IN_S, BUILT_IN_S = 300, 600


class NotFetched(Exception):
    """A library cannot be had from its registry; the text says which, and what was said."""


class NotBuilt(Exception):
    """A program does not compile; the text says what the compiler said."""


@dataclass(frozen=True, slots=True)
class Program:
    """One client: ``policy`` is the preset of ``sim.client_policies`` that tells what it does, if there is one."""

    name: str
    tools: tuple[str, ...]
    policy: str | None
    build: Callable[[Path], Sequence[str]]
    """Builds in a folder; the command that starts it, without the port and the protocol."""

    @property
    def missing(self) -> list[str]:
        """The tools that are not on this machine."""
        return [tool for tool in self.tools if shutil.which(tool) is None]


def fetch(command: Sequence[str], folder: Path, **environment: str) -> None:
    """Brings libraries; ``NotFetched`` where their registry does not give them, or not in time."""
    try:
        said = _run(command, folder, FETCHED_IN_S, environment)
    except subprocess.TimeoutExpired:
        said = f"nothing came for {FETCHED_IN_S} s"
    if said is not None:
        raise NotFetched(f"{' '.join(command)}: {said}")


def build(command: Sequence[str], folder: Path, **environment: str) -> None:
    """Compiles; ``NotBuilt`` with the end of what was said where it fails."""
    said = _run(command, folder, BUILT_IN_S, environment)
    if said is not None:
        raise NotBuilt(f"{' '.join(command)}: {said}")


def _run(command: Sequence[str], folder: Path, limit_s: int, environment: dict[str, str]) -> str | None:
    """What a command that failed said last; ``None`` where it did not fail."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=limit_s,
        check=False,
    )  # fmt: skip
    return (done.stderr or done.stdout).strip()[-800:] if done.returncode else None


def sources(language: str, folder: Path) -> Path:
    """A copy of a program's sources: nothing is built where they are."""
    return Path(shutil.copytree(HERE / language, folder / language, dirs_exist_ok=True))


def go(folder: Path) -> Sequence[str]:
    """go-redis."""
    there = sources("go", folder)
    fetch(["go", "get", "."], there)
    build(["go", "build", "-o", str(folder / "go-client"), "."], there)
    return [str(folder / "go-client")]


def node(script: str) -> Callable[[Path], Sequence[str]]:
    """A library of node: both are brought together."""

    def installed(folder: Path) -> Sequence[str]:
        there = folder / "node"
        if not (there / "node_modules").exists():
            command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
            fetch(command, sources("node", folder))
        return ["node", str(there / script)]

    return installed


def java(folder: Path) -> Sequence[str]:
    """Jedis, with the jars that it needs."""
    there = sources("java", folder)
    fetch(["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=."], there)
    build(["javac", "-cp", "*", "-d", "out", "Story.java"], there)
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{there}/*{os.pathsep}{there}/out", "Story"]


def rust(folder: Path) -> Sequence[str]:
    """redis-rs."""
    there = sources("rust", folder)
    fetch(["cargo", "fetch", "--quiet"], there)
    build(["cargo", "build", "--quiet", "--offline"], there, CARGO_TARGET_DIR=str(folder / "target"))
    return [str(folder / "target" / "debug" / "clients")]


PROGRAMS = (
    Program("go-redis", ("go",), "go-redis", go),
    Program("ioredis", ("node", "npm"), "ioredis", node("ioredis.mjs")),
    Program("node-redis", ("node", "npm"), "node-redis", node("node_redis.mjs")),
    Program("jedis", ("java", "javac", "mvn"), "jedis", java),
    Program("redis-rs", ("cargo",), None, rust),
)
