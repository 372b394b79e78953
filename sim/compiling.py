"""Compiling the model and the checker while the package is built: only on request, and from the same sources.

``REDELIVERY_COMPILE=1 pip install --no-build-isolation .`` makes C extensions of ``models/``, and of what a check
spends its time in, with mypyc, which comes with mypy. It needs mypy, setuptools and a C compiler; where one of them is
missing the build stops and says so, for a model that is quietly not compiled is not what was asked for. Without the
variable nothing here matters.

pyproject.toml names the class below, and setuptools loads this file alone: it imports nothing of the package.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Extension
from setuptools.command.bdist_wheel import bdist_wheel

VARIABLE = "REDELIVERY_COMPILE"
WITHOUT = f"or install without {VARIABLE}"
CHECKER = (
    "abstraction", "crowds", "interning", "kin", "lives", "monitors", "ordering", "orders", "parts", "pasts",
    "renaming", "scenes", "servers", "sweep", "symmetry", "taking", "transcripts", "watching",
)  # fmt: skip
"""The modules of ``sim/check/`` that are compiled: those at work in every state, and at every new step.

Of the machine there is a subclass that is not among them, and what is not compiled cannot inherit from what is.
"""


class Wheel(bdist_wheel):  # type: ignore[misc]  # setuptools ships no types
    """The command that builds a wheel; with the variable set, one for this machine's Python."""

    def finalize_options(self) -> None:
        """Adds the extensions. Editable installs and metadata come by here, too, and are left alone."""
        if os.environ.get(VARIABLE, "0") not in ("", "0") and "bdist_wheel" in self.distribution.commands:
            self.distribution.ext_modules = extensions(Path.cwd())
        super().finalize_options()


def extensions(root: Path) -> list[Extension]:
    """The C extensions of every module in ``models/`` below ``root`` and of the checker's hot ones.

    Their C sources are written to ``build/``.
    """
    try:
        from mypyc.build import mypycify
    except ImportError:
        raise SystemExit(
            f"{VARIABLE} is set, but there is no mypyc here: pip install mypy setuptools, then install with "
            f"--no-build-isolation, {WITHOUT}"
        ) from None
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "")
    if compiler and shutil.which(compiler[0]) is None:
        raise SystemExit(f"{VARIABLE} is set, but there is no C compiler {compiler[0]!r} here: install one, {WITHOUT}")
    with tempfile.TemporaryDirectory() as parent:
        # The folders stand at the root of the tree: through this link mypyc finds them under their package's name.
        (Path(parent) / "redelivery").symlink_to(root, target_is_directory=True)
        os.chdir(parent)
        try:
            sources = sorted(path.relative_to(root) for path in (root / "models").rglob("*.py"))
            sources += [Path("sim", "check", f"{name}.py") for name in CHECKER]
            made: list[Extension] = mypycify(
                [f"--config-file={root / 'pyproject.toml'}", *(f"redelivery/{path.as_posix()}" for path in sources)],
                opt_level=os.environ.get("MYPYC_OPT_LEVEL", "3"),
                target_dir=str(root / "build" / "compiled"),
                group_name="redelivery",
            )
        finally:
            os.chdir(root)
    return made
