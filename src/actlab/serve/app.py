"""The browser's requests: pages from run folders, for this machine only, and nothing written."""

import asyncio
import base64
import hashlib
import os
import re
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from actlab.errors import ActlabError
from actlab.files import open_regular
from actlab.i18n import LANGUAGES, translation
from actlab.pages.kit import asset, render_page
from actlab.pages.lanes import small_multiple, without_worst
from actlab.pages.words import (
    group_words,
    in_metric,
    obstacle_words,
    outcome_word,
    short_name,
    slot_word,
)
from actlab.records import Plan
from actlab.serve.now import Running, lanes, trainings
from actlab.serve.runs import Run, Runs, version
from actlab.studies.confirm.protocol_change import ProtocolChange, protocol_change
from actlab.studies.interface.pages import report_data
from actlab.studies.interface.verdicts import replication_of
from actlab.studies.report import render
from actlab.studies.report.answer import answer
from actlab.studies.report.first_screen import first_screen
from actlab.studies.report.page import OtherLanguage
from actlab.studies.report.short_names import data_name
from actlab.studies.run_folder import RunFolder
from actlab.text import NO_BREAK, NOT_KNOWN, Formatter, significant

HOSTS = ("127.0.0.1", "localhost")
"""The names by which this machine is asked: any other is another site's name that leads here."""

FILES = {
    "trials.csv": "text/csv",
    "replicates.csv": "text/csv",
    "plan.toml": "text/plain",
    "verdict.json": "application/json",
    "environment.json": "application/json",
}
"""What of a run folder may be saved; everything else stays where it is."""

SHOWN = 30
"""How many of the newest trials the live view lists."""

MOST_CURVES, MOST_PALE = 16, 20
"""How many learning curves are drawn of what trains now, and of what has ended behind each."""

_PACKAGE = "actlab.serve"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

Handler = Callable[[Request], Awaitable[Response]]


def application(roots: Sequence[Path], language: str = "en") -> Starlette:
    """Return the application that shows the run folders in `roots`; every request only reads."""
    site = _Site(Runs(roots), language)
    routes = [
        Route("/", site.runs_page, methods=["GET"]),
        Route("/compare", site.compare_page, methods=["GET"]),
        Route("/runs/{key}", site.live_page, methods=["GET"]),
        Route("/runs/{key}/state", site.state, methods=["GET"]),
        Route("/runs/{key}/report", site.report, methods=["GET"]),
        Route("/runs/{key}/files/{name}", site.file, methods=["GET"]),
        Route("/live.js", site.script, methods=["GET"]),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False),
            Middleware(BaseHTTPMiddleware, dispatch=_guarded),
        ],
    )


async def _guarded(request: Request, call_next: Handler) -> Response:
    """Add the headers that keep other sites, frames and stored copies away from an answer."""
    response = await call_next(request)
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


class _Site:
    """The handlers, and the pages that were drawn last."""

    def __init__(self, runs: Runs, language: str) -> None:
        self.runs = runs
        self.language = language
        self._drawn: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._seen: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._drawing = threading.Lock()

    async def runs_page(self, request: Request) -> Response:
        found = await asyncio.to_thread(self.runs.all)
        if len(found) == 1 and not request.query_params:
            return RedirectResponse(f"/runs/{found[0].key}")
        roots = [str(root) for root in self.runs.roots]
        return self._page(request, "runs.html", {"runs": found, "roots": roots})

    async def live_page(self, request: Request) -> Response:
        run = await self._run(request)
        values = await asyncio.to_thread(self._live_once, run, self._language(request))
        return self._page(request, "live.html", values)

    async def state(self, request: Request) -> Response:
        run = await self._run(request)
        return JSONResponse({"version": version(run.path), "running": run.state == "running"})

    async def report(self, request: Request) -> Response:
        run = await self._run(request)
        language = self._language(request)
        text, policy = await asyncio.to_thread(self._report, run, language)
        headers = {"Content-Security-Policy": policy}
        if "save" in request.query_params:
            headers["Content-Disposition"] = f'attachment; filename="{_saved(run.name)}.html"'
        return HTMLResponse(text, headers=headers)

    async def compare_page(self, request: Request) -> Response:
        keys = list(dict.fromkeys(request.query_params.getlist("run")))[:8]
        runs = [run for key in keys if (run := await asyncio.to_thread(self.runs.get, key))]
        plans = [asdict(run.plan) for run in runs if run.plan is not None]
        rows = _differences(plans, [run for run in runs if run.plan is not None])
        changes = await asyncio.to_thread(_changes, runs) if len(runs) > 1 else []
        values = {"runs": runs, "rows": rows, "changes": changes}
        return self._page(request, "compare.html", values)

    async def file(self, request: Request) -> Response:
        run = await self._run(request)
        name = request.path_params["name"]
        if name not in FILES:
            raise HTTPException(404)
        try:
            with open_regular(run.path / name, os.O_RDONLY) as stream:
                content = stream.read()
        except OSError:
            raise HTTPException(404) from None
        saved = _saved(f"{run.name}-{name}")
        headers = {"Content-Disposition": f'attachment; filename="{saved}"'}
        return Response(content, media_type=FILES[name], headers=headers)

    async def script(self, _request: Request) -> Response:
        return Response(asset("live.js", _PACKAGE), media_type="text/javascript")

    async def _run(self, request: Request) -> Run:
        run = await asyncio.to_thread(self.runs.get, request.path_params["key"])
        if run is None:
            raise HTTPException(404)
        return run

    def _language(self, request: Request) -> str:
        asked = request.query_params.get("lang", "")
        return asked if asked in LANGUAGES else self.language

    def _live_once(self, run: Run, language: str) -> dict[str, Any]:
        """Return `_live`, worked out once for every state of the folder."""
        stamp = (run.key, language, version(run.path))
        with self._drawing:
            if stamp not in self._seen:
                self._seen = {stamp: self._live(run, language)}
            return self._seen[stamp]

    def _live(self, run: Run, language: str) -> dict[str, Any]:
        """Return what the live view of a run shows, whatever state the folder is in."""
        values: dict[str, Any] = {"run": run, "version": version(run.path), "first": None}
        values |= {"newest": [], "curves": [], "lanes": "", "files": [], "reason": run.reason}
        if run.plan is None:
            return values
        form = Formatter(translation(language), NO_BREAK)
        folder = self.runs.folder(run.key, run.path)
        values["files"] = [name for name in FILES if (run.path / name).is_file()]
        records = folder.all_records()
        values["newest"] = list(reversed(records[-SHOWN:]))
        if run.state == "running":
            rows = trainings(folder.progress_path, records)
            values["lanes"] = lanes(rows, time.time())
            values["curves"] = _curves(rows, run.plan.training.measured.higher_is_better)
        try:
            data = report_data(folder, language)
            found = answer(data) if run.plan.training.measured.in_percent else None
            values["first"] = first_screen(data, found, form)
        except ActlabError as error:
            values["reason"] = str(error)
        return values

    def _report(self, run: Run, language: str) -> tuple[str, str]:
        """Return the whole page of a run and a policy that knows its scripts by their hash."""
        if run.plan is None or run.plan.tasks is not None:
            raise HTTPException(404)
        stamp = (run.key, language, version(run.path))
        with self._drawing:
            if stamp not in self._drawn:
                try:
                    second = next(other for other in LANGUAGES if other != language)
                    switch = OtherLanguage(second, address=f"?lang={second}")
                    data = report_data(RunFolder(run.path), language)
                    text = render(data, language, other=switch)
                except ActlabError as error:
                    raise HTTPException(404, str(error)) from None
                self._drawn = {stamp: (text, _policy_of(text))}
            return self._drawn[stamp]

    def _page(self, request: Request, template: str, values: dict[str, Any]) -> Response:
        language = self._language(request)
        messages = translation(language)
        form = Formatter(messages, NO_BREAK)
        shared = {
            "form": form,
            "lang": request.query_params.get("lang") if language != self.language else None,
            "shown": lambda value, plan: _shown(value, plan, form),
            "gap": lambda difference, plan: _gap(difference, plan, form),
            "groups": group_words(messages),
            "outcome_word": lambda outcome: outcome_word(outcome, messages),
            "slot_word": lambda slot: slot_word(slot, messages),
            "short_name": short_name,
            "data_name": data_name,
            "obstacle_words": lambda obstacle: obstacle_words(obstacle, messages),
        }
        text = render_page(
            template,
            (_PACKAGE, "actlab.studies.report"),
            language,
            messages,
            shared | values,
            styles=("report.css", "verdict.css", "live.css"),
        )
        return HTMLResponse(text)


def _curves(rows: Sequence[Running], higher_is_better: bool) -> list[tuple[Running, Markup]]:
    """Return the curves of what trains now, over pale ones of what has ended; all on one scale."""
    now = [row for row in rows if not row.has_ended][-MOST_CURVES:]
    ended = [row.values for row in rows if row.has_ended][-MOST_PALE:]
    known = sorted(v for row in rows for v in row.values if v is not None)
    if not now or not known:
        return []
    low, high = without_worst(known, higher_is_better)
    longest = max(len(values) for values in (*ended, *(row.values for row in now)))

    def fitted(values: Sequence[float | None]) -> list[float | None]:
        inside = [None if v is None else min(max(v, low), high) for v in values]
        return inside + [None] * (longest - len(inside))

    pale = [fitted(values) for values in ended]
    return [(row, small_multiple([*pale, fitted(row.values)], low, high)) for row in now]


def _shown(value: float | None, plan: Plan, form: Formatter) -> str:
    """Write a figure of a study in its metric."""
    return NOT_KNOWN if value is None else in_metric(value, plan.training.measured, form)


def _gap(difference: float, plan: Plan, form: Formatter) -> str:
    """Write a difference of two figures, with its sign: in points, or in the metric's units."""
    if plan.training.measured.in_percent:
        return form.points_number(difference)
    return ("+" if difference > 0 else "") + significant(difference, 3)


def _differences(plans: list[dict[str, Any]], runs: list[Run]) -> list[tuple[str, list[str]]]:
    """Return what differs between runs: settings of their plans, precision, device."""
    flat = [_flat(plan) for plan in plans]
    for row, run in zip(flat, runs, strict=True):
        row |= {"precision": run.precision, "device": run.device}
    names = dict.fromkeys(name for row in flat for name in row)
    rows = [(name, [row.get(name, "") for row in flat]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _changes(runs: list[Run]) -> list[tuple[str, ProtocolChange | str]]:
    """Return what changes from the first run to each other, paired where the seeds match."""
    found: list[tuple[str, ProtocolChange | str]] = []
    for other in runs[1:]:
        try:
            pair = [replication_of(RunFolder(run.path)) for run in (runs[0], other)]
            found.append((other.name, protocol_change(*pair)))
        except (ActlabError, OSError) as error:
            found.append((other.name, str(error)))
    return found


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, part in value.items():
            found |= _flat(part, f"{name}.{key}" if name else str(key))
        return found
    if isinstance(value, list | tuple):
        return {name: ", ".join(map(str, value))}
    return {name: "" if value is None else str(value)}


def _saved(name: str) -> str:
    """Return a file name that is a name on every system."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)


def _policy_of(page: str) -> str:
    """Return a content policy under which a page's own scripts run and no others."""
    scripts = re.findall(r"<script(?: type=\"text/plain\"[^>]*)?>(.*?)</script>", page, re.DOTALL)
    hashes = " ".join(
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        for text in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
