"""The README's code blocks, typed in order into one shell, as a newcomer would."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from blackbox.documents import Block, blocks, steps
from blackbox.server import Server

MARK = "--- end of step {} ---"


def test_the_tour_works_as_it_is_written(own_server: Server, repository: Path, folder: Path) -> None:
    tour = steps(repository / "README.md")
    assert len(tour) >= 4, "the README has lost its tour"
    names = folder / "names"
    names.mkdir()
    (names / "cortex").symlink_to(own_server.binary)
    script = ["set -euo pipefail", f"export PATH={shlex.quote(str(names))}:$PATH"]
    for number, (block, _) in enumerate(tour):
        script += [
            block.text.replace("localhost:8888", f"127.0.0.1:{own_server.port}"),
            f"echo '{MARK.format(number)}'",
        ]
    work = folder / "work"
    work.mkdir()
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=work,
        env=own_server.environment,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done
    rest = done.stdout
    for number, (block, shown) in enumerate(tour):
        output, mark, rest = rest.partition(MARK.format(number) + "\n")
        assert mark, f"README.md:{block.line} did not run"
        if shown is not None:
            assert matches(output, shown, own_server.port), f"README.md:{block.line}: {output!r}"


def matches(output: str, shown: str, port: int) -> bool:
    """Whether the output is as shown; `…` in the document stands for anything on its line."""
    pattern = re.escape(shown.strip().replace("localhost:8888", "HOST")).replace("…", ".*")
    pattern = re.sub(r"(\\ )+", r"\\s+", pattern)
    output = re.sub(rf"(localhost|127\.0\.0\.1):{port}", "HOST", output)
    return re.fullmatch(pattern, output.strip()) is not None


def test_no_block_is_forgotten(repository: Path) -> None:
    """A block is run, compared, or says why not."""

    def is_known(block: Block) -> bool:
        return block.skipped or block.language in ("bash", "text", "json")

    unknown = [block for block in blocks(repository / "README.md") if not is_known(block)]
    assert unknown == []
