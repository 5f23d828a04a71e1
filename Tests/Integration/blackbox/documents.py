"""Commands and answers in documents, made to run against a test's own server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SEEDS = Path(__file__).parent.parent / "seeds"


def seed(name: str) -> str:
    """A snippet, byte for byte."""
    return (SEEDS / name).read_text()


def seed_command(name: str, url: str) -> str:
    """The command of a snippet, its host replaced by that of `url`; what follows it is the answer."""
    lines: list[str] = []
    for line in seed(name).splitlines():
        if lines and not lines[-1].endswith("\\"):
            break
        lines.append(line.removeprefix("$ "))
    return point_at("\n".join(lines), url)


def point_at(text: str, url: str) -> str:
    """The document's addresses, replaced by the API's own."""
    text = text.replace("https://***.amazonaws.com/my-api", url)
    return re.sub(r"http://\S+\.elb\.us-west-2\.amazonaws\.com/[a-z-]+", url, text)


@dataclass(frozen=True)
class Block:
    """A fenced block of a Markdown file."""

    language: str
    text: str
    line: int
    skipped: bool
    """Whether a comment right above it says `<!-- not run: why -->`."""


def blocks(document: Path) -> list[Block]:
    """All fenced blocks, in order."""
    found = []
    lines = document.read_text().splitlines()
    start: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if start is None:
            start = number
            continue
        before = lines[start - 1] if start > 0 else ""
        text = "\n".join(lines[start + 1 : number]) + "\n"
        found.append(Block(lines[start][3:].strip(), text, start + 1, before.startswith("<!-- not run:")))
        start = None
    assert start is None, f"{document}: the block at line {start} is not closed"
    return found


def steps(document: Path) -> list[tuple[Block, str | None]]:
    """The `bash` blocks that a reader types, each with the `text` or `json` block that shows what they then see."""
    found: list[tuple[Block, str | None]] = []
    for block in blocks(document):
        if block.language == "bash" and not block.skipped:
            found.append((block, None))
        elif block.language in ("text", "json") and not block.skipped and found and found[-1][1] is None:
            found[-1] = (found[-1][0], block.text)
    return found
