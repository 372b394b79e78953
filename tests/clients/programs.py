"""Programs in other languages: how each is built, and how it is started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILT_IN_S = 900


class NotBuilt(Exception):
    """The library cannot be had, or the program does not compile; the text says which, and what was said."""


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


def run(command: Sequence[str], folder: Path, **environment: str) -> None:
    """Runs a step of a build; ``NotBuilt`` with the end of what it said where it fails."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=BUILT_IN_S,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotBuilt(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-800:]}")


def sources(language: str, folder: Path) -> Path:
    """A copy of a program's sources: nothing is built where they are."""
    return Path(shutil.copytree(HERE / language, folder / language, dirs_exist_ok=True))


def go(folder: Path) -> Sequence[str]:
    """go-redis."""
    run(["go", "build", "-mod=mod", "-o", str(folder / "go-client"), "."], sources("go", folder))
    return [str(folder / "go-client")]


def node(script: str) -> Callable[[Path], Sequence[str]]:
    """A library of node: both are brought together."""

    def build(folder: Path) -> Sequence[str]:
        there = folder / "node"
        if not (there / "node_modules").exists():
            command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
            run(command, sources("node", folder))
        return ["node", str(there / script)]

    return build


def java(folder: Path) -> Sequence[str]:
    """Jedis, with the jars that it needs."""
    there = sources("java", folder)
    run(["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=."], there)
    run(["javac", "-cp", "*", "-d", "out", "Story.java"], there)
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{there}/*{os.pathsep}{there}/out", "Story"]


def rust(folder: Path) -> Sequence[str]:
    """redis-rs."""
    run(["cargo", "build", "--quiet"], sources("rust", folder), CARGO_TARGET_DIR=str(folder / "target"))
    return [str(folder / "target" / "debug" / "clients")]


PROGRAMS = (
    Program("go-redis", ("go",), "go-redis", go),
    Program("ioredis", ("node", "npm"), "ioredis", node("ioredis.mjs")),
    Program("node-redis", ("node", "npm"), "node-redis", node("node_redis.mjs")),
    Program("jedis", ("java", "javac", "mvn"), "jedis", java),
    Program("redis-rs", ("cargo",), None, rust),
)
