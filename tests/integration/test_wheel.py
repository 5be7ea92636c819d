"""What is shipped is what was tested: the built wheel in a clean environment walks the whole job."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SHIPPED = (
    "hubsync/_config/families.toml",
    "hubsync/_config/hubsync.toml",
    "hubsync/tui/hubsync.tcss",
    "hubsync/sandbox/data/checkpoint/unet/diffusion_pytorch_model.safetensors",
    "hubsync/sandbox/data/loras/sks_frame.safetensors",
    "hubsync/py.typed",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, the wheel built from the sdist as on a package index."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(PROJECT)],
        check=True,
        capture_output=True,
    )
    return folder


def test_wheel_and_sdist_carry_everything(built: Path) -> None:
    """Configuration, style sheet and the sandbox's weights are inside."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        assert set(SHIPPED) <= set(wheel.namelist())
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"config/families.toml", "Makefile", "tests/conftest.py", "hubsync/tui/hubsync.tcss"} <= names


@pytest.mark.timeout(900)
def test_the_installed_wheel_walks_the_tour(built: Path, tmp_path: Path) -> None:
    """In a virtual environment that holds nothing else, far from the checkout, the demo runs to its end."""
    venv.create(tmp_path / "venv", with_pip=True)
    bin_folder = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    wheel = next(built.glob("*.whl"))
    constraints = PROJECT / "config" / "constraints.txt"
    install = [str(bin_folder / "python"), "-m", "pip", "install", "-q", "-c", str(constraints), f"{wheel}[render]"]
    subprocess.run(install, check=True, capture_output=True, cwd=tmp_path)
    tour = subprocess.run(
        [str(bin_folder / "hubsync"), "demo", "--tour", "--root", str(tmp_path / "library")],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=False,
    )
    assert tour.returncode == 0, tour.stdout + tour.stderr
    sheet = tour.stdout.splitlines()[-1].removeprefix("contact sheet: ")
    assert Path(sheet).is_file()
