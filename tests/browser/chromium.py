"""Brings a headless Chromium for the tests, without root: ``python tests/browser/chromium.py``.

Debian's packages are unpacked into a folder of the user with all of their libraries and a font, and started through
their own loader, so that it runs on whatever this machine has. About 110 MB are fetched, and 330 MB stay.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from redelivery.sim.errors import RedeliveryError
from redelivery.sim.real.debian.closure import closure
from redelivery.sim.real.debian.fetching import Gone, download, fetcher
from redelivery.sim.real.debian.sources import machine_mirror
from redelivery.sim.real.debian.suite import Package, Suite, open_suite
from redelivery.sim.real.errors import RealServerError
from redelivery.sim.real.folders import cache_folder, data_folder

SUITES = ("bookworm", "trixie", "sid")
"""Where it is looked for, in this order."""
PROGRAM = "chromium-headless-shell"
WANTED = (PROGRAM, "chromium-common", "fonts-dejavu-core")
ON_THE_PATH = ("chromium-headless-shell", "chromium", "google-chrome")
VARIABLE = "REDELIVERY_CHROMIUM"

LAUNCHER = """#!/bin/sh
# Starts this browser, and its own child processes, with the libraries that it was built with, through their own loader.
here=${{0%/*}}
root=$here/root
export FONTCONFIG_FILE="$here/fonts.conf"
exec "$root/{home}/loader" --library-path "{libraries}" "$root/{home}/{program}" \\
    --browser-subprocess-path="$0" --no-zygote --no-sandbox "$@"
"""
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{root}/usr/share/fonts</dir><cachedir>{folder}/fonts</cachedir></fontconfig>
"""


def at_hand() -> Path | None:
    """The browser that there is: the one that the environment names, the one that was brought, one on the path."""
    named = os.environ.get(VARIABLE)
    brought = data_folder() / "chromium" / "run"
    if named:
        return Path(named)
    if brought.exists():
        return brought
    return next((Path(found) for found in map(shutil.which, ON_THE_PATH) if found), None)


def bring() -> Path:
    """Fetches and unpacks it, unless it is there; returns what starts it. ``RealServerError`` where it cannot be."""
    target = data_folder() / "chromium"
    if (target / "run").exists():
        return target / "run"
    target.parent.mkdir(parents=True, exist_ok=True)
    cache = cache_folder() / "chromium"
    cache.mkdir(parents=True, exist_ok=True)
    packages = _packages(cache)
    with tempfile.TemporaryDirectory(prefix=".unfinished-chromium-", dir=target.parent) as place:
        folder = Path(place) / "chromium"
        for package in packages:
            deb = cache / f"{package.name}.deb"
            download(fetcher(), package.url, deb, size=package.size, sha256=package.sha256)
            (folder / "root").mkdir(parents=True, exist_ok=True)
            subprocess.run(["dpkg-deb", "-x", deb, folder / "root"], check=True)
        _write_launcher(folder, target)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    shutil.rmtree(cache)
    return target / "run"


def _packages(cache: Path) -> list[Package]:
    mirror = machine_mirror()
    found: dict[str, Package] = {}
    for name in SUITES:
        try:
            suite: Suite = open_suite(mirror, name, "amd64", cache, fetcher())
        except Gone:
            continue
        wanted = [package for package in map(suite.get, WANTED) if package is not None]
        if len(wanted) == len(WANTED):
            for package in wanted:
                found |= {each.name: each for each in closure(package, [suite])}
            return list(found.values())
    raise RealServerError(f"none of {', '.join(SUITES)} on {mirror.url} has {', '.join(WANTED)}")


def _write_launcher(folder: Path, target: Path) -> None:
    root, home = folder / "root", "usr/lib/chromium"
    loaders = sorted([*root.glob("lib/*/ld-linux-*.so.*"), *root.glob("usr/lib/*/ld-linux-*.so.*")])
    # The browser looks for its own files beside the program that runs, and that is the loader.
    shutil.copy(loaders[0], root / home / "loader")
    patterns = ("lib/*-linux-gnu", "usr/lib/*-linux-gnu", "usr/lib/*-linux-gnu/pulseaudio")
    libraries = [home, *(str(path.relative_to(root)) for each in patterns for path in sorted(root.glob(each)))]
    text = LAUNCHER.format(home=home, program=PROGRAM, libraries=":".join(f"$root/{path}" for path in libraries))
    (folder / "run").write_text(text)
    (folder / "run").chmod(0o755)
    (folder / "fonts.conf").write_text(FONTS.format(root=target / "root", folder=target))


if __name__ == "__main__":
    try:
        launcher = bring()
    except (RedeliveryError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"chromium.py: {error}")
    said = subprocess.run([launcher, "--version"], capture_output=True, text=True, check=False)
    print(f"{launcher}: {said.stdout.strip()}")
    sys.exit(said.returncode)
