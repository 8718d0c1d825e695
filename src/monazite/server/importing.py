"""The API of the dry run of an import: an official file is read here, and nothing of it is kept."""

from __future__ import annotations

import re
import tempfile
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from monazite.core.errors import ArgumentError, FactsError
from monazite.core.text import say
from monazite.facts.readers.archives import refuse_large
from monazite.market.executors import Processes, WorkerDied
from monazite.report.importing import ImportSheet, import_sheet
from monazite.server import shapes, wire
from monazite.server.asking import answers
from monazite.server.guard import IMPORT_PATH
from monazite.server.questions import Name, WrongType, exact

__all__ = ["Readings", "router"]

router = APIRouter(default_response_class=wire.Json, dependencies=[Depends(exact)])

#: how long a file may take, seconds
_PATIENCE = 60.0
#: how large an archive may be unpacked, and what a reading may hold in memory, bytes
_UNPACKED, _MEMORY = 200_000_000, 4_000_000_000
_MEDIA = "application/octet-stream"
#: what a name on a disk cannot hold on one system or another, and how long it may be
_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*]')
_LONGEST = 240

FileName = Annotated[Name, Query(description="The file's name, such as MCS2026_Commodities_Data.csv")]
Published = Annotated[
    Name | None, Query(description="Day, month or year of publication, where the file does not say it")
]


class Readings:
    """Files are read one at a time in a process of its own, which is ended when a file takes too long."""

    def __init__(self) -> None:
        self._pool: Processes | None = None
        self._alone = threading.Lock()

    def read(self, file: Path, published: str | None, name: str, seconds: float) -> ImportSheet:
        """Read a file.

        Raises
        ------
        FactsError
            If it takes longer than it may, or more memory.
        """
        with self._alone:
            if self._pool is None:
                self._pool = Processes(1)
            future: Future[ImportSheet] = self._pool.submit(_read, file, published, name)
            try:
                return future.result(seconds)
            except OutOfTime as error:
                self._end()
                raise FactsError("server.import_long", file=name, seconds=f"{seconds:g}") from error
            except (WorkerDied, MemoryError) as error:
                self._end()
                raise FactsError("server.import_died", file=name) from error

    def close(self) -> None:
        """End the process, whatever it does."""
        self._end()

    def _end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close(now=True)


def _read(file: Path, published: str | None, name: str) -> ImportSheet:
    """Read a file; done in the process of the readings."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, hard))
    refuse_large(file, _UNPACKED)
    return import_sheet(file, published, name)


@router.post(
    IMPORT_PATH,
    responses=answers(shapes.ImportPage, 413, 415),
    summary="What an official file, or a facts table of one's own, would change",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {_MEDIA: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def dry_run(request: Request, name: FileName, published: Published = None) -> Response:
    """Read a file as ``monazite data import`` does without ``--write``; it is nowhere kept."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != _MEDIA:
        raise WrongType("server.import_expected", given=media[:80] or say("server.nothing"))
    shown = re.split(r"[/\\]", name)[-1].strip()
    if shown in ("", ".", "..") or len(shown.encode()) > _LONGEST:
        raise ArgumentError("server.import_name", given=name[:80])
    data = await request.body()
    if not data:
        raise ArgumentError("server.import_empty")
    made = await run_in_threadpool(_kept_nowhere, request.app.state.readings, data, shown, published)
    return wire.Json(_page(made, shown))


def _kept_nowhere(readings: Readings, data: bytes, name: str, published: str | None) -> ImportSheet:
    """Have a file read in a folder of its own, so deep that nothing is found beside it or above."""
    with tempfile.TemporaryDirectory(prefix="monazite-import-") as folder:
        file = Path(folder) / "1" / "2" / _UNSAFE.sub("_", name)
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
        return readings.read(file, published, name, _PATIENCE)


def _page(made: ImportSheet, name: str) -> dict[str, Any]:
    return {
        "file": name,
        "recognised": {
            "format": made.format,
            "title": made.title,
            "published": made.published,
            "source": made.source,
            "vintage": made.vintage,
        },
        "rows": made.rows,
        "counts": made.counts,
        "sentence": wire.sentence(made.sentence),
        "problems": [
            {"row": row, "column": column, "message": message} for row, column, message in made.problems
        ],
        "problem_count": made.problem_count,
        "effects": [
            {"name": effect, "label": label, "facts": facts, "flows": flows}
            for effect, label, facts, flows in made.effects
        ],
        "tables": [wire.table_page(table) for table in made.tables],
        "notes": list(made.notes),
        "sources": wire.source_list(made.sources),
        "command": made.command,
    }
