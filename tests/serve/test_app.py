"""The live view as a browser and as an attacker ask it: a real server on a port of its own."""

import http.client
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

from actlab.serve.app import application  # noqa: E402  # after the extra is known to be there
from actlab.serve.runs import Runs, key_of, version  # noqa: E402

FINISHED = Path(__file__).parents[1] / "golden" / "run_folder_0_1"
HOSTILE = "<img src=x onerror=alert(1)>"


class Answer:
    """What the server said."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode()


Ask = Callable[..., Answer]


def serving(roots: list[Path]) -> Iterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(roots), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, a hostile name, a broken run and a link to elsewhere."""
    root = tmp_path_factory.mktemp("served")
    outside = root / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("secret")
    inside = root / "runs"
    inside.mkdir()
    shutil.copytree(FINISHED, inside / "finished")
    hostile = inside / HOSTILE
    shutil.copytree(FINISHED, hostile)
    (hostile / "trials.csv").unlink()
    (hostile / "trials.csv").symlink_to(outside / "secret.csv")
    (inside / "broken").mkdir()
    (inside / "broken" / "plan.toml").write_text("format_version = [")
    (inside / "linked").symlink_to(inside / "finished")
    return inside


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    yield from serving([folder])


@pytest.fixture
def ask(port: int) -> Ask:
    def asked(path: str, method: str = "GET", host: str | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.putrequest(method, path, skip_host=host is not None)
        if host is not None:
            connection.putheader("Host", host)
        connection.endheaders()
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    return asked


def test_the_list_has_every_run_and_says_why_one_cannot_be_read(ask: Ask) -> None:
    shown = ask("/")
    assert shown.status == 200
    assert "3 runs" in shown.text
    assert "finished" in shown.text
    assert "cannot be read" in shown.text
    assert ">linked<" not in shown.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_another_sites_name_is_refused(ask: Ask, host: str) -> None:
    assert ask("/", host=host).status == 400


def test_this_machines_names_are_answered(ask: Ask, port: int) -> None:
    for host in ("127.0.0.1", f"127.0.0.1:{port}", f"localhost:{port}"):
        assert ask("/", host=host).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/runs/../../etc/passwd",
        "/runs/..%2f..%2fetc%2fpasswd",
        "/runs/{key}/files/..%2f..%2foutside%2fsecret.csv",
        "/runs/{key}/files/%2fetc%2fpasswd",
        "/runs/{key}/files/records.jsonl",
        "/runs/{key}/files/best_model.pt",
        "/runs/finished",
        "/runs/0000000000000000",
    ],
)
def test_no_path_leads_out_of_what_is_shown(ask: Ask, folder: Path, path: str) -> None:
    answer = ask(path.replace("{key}", key_of(folder / "finished")))
    assert answer.status == 404
    assert "secret" not in answer.text


def test_a_file_that_is_a_link_is_not_followed(ask: Ask, folder: Path) -> None:
    answer = ask(f"/runs/{key_of(folder / HOSTILE)}/files/trials.csv")
    assert (answer.status, "secret" in answer.text) == (404, False)


def test_a_file_is_saved_and_never_shown_as_a_page(ask: Ask, folder: Path) -> None:
    answer = ask(f"/runs/{key_of(folder / 'finished')}/files/trials.csv")
    assert answer.text == (FINISHED / "trials.csv").read_text()
    assert answer.headers["content-disposition"] == 'attachment; filename="finished-trials.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_names_are_text_and_never_markup(ask: Ask, folder: Path) -> None:
    key = key_of(folder / HOSTILE)
    for path in ("/", f"/runs/{key}", f"/compare?run={key}&run={key_of(folder / 'finished')}"):
        shown = ask(path).text
        assert "<img src=x" not in shown
        assert "&lt;img src=x onerror=alert(1)&gt;" in shown


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_there_is_nothing_that_acts(ask: Ask, folder: Path, method: str) -> None:
    assert ask("/", method).status == 405
    assert ask(f"/runs/{key_of(folder / 'finished')}", method).status == 405


def test_every_answer_has_a_policy_without_foreign_or_inline_scripts(
    ask: Ask, folder: Path
) -> None:
    key = key_of(folder / "finished")
    for path in ("/", f"/runs/{key}", f"/runs/{key}/report", "/live.js", "/nosuch"):
        answer = ask(path)
        policy = dict(
            part.strip().split(" ", 1)
            for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert "unsafe" not in policy["script-src"]
        assert policy["frame-ancestors"] == "'none'"
        assert answer.headers["cache-control"] == "no-store"


def test_the_live_view_says_what_is_known_and_both_languages_are_there(
    ask: Ask, folder: Path
) -> None:
    key = key_of(folder / "finished")
    assert '<html lang="en">' in ask(f"/runs/{key}").text
    assert '<html lang="ko">' in ask(f"/runs/{key}?lang=ko").text
    assert "trials" in ask(f"/runs/{key}").text


def test_comparing_shows_what_differs_and_flags_mixed_precisions(
    tmp_path: Path,
) -> None:
    for name, precision in (("one", "fp32"), ("two", "bf16")):
        shutil.copytree(FINISHED, tmp_path / name)
        path = tmp_path / name / "environment.json"
        found = json.loads(path.read_text())
        path.write_text(json.dumps(found | {"precision": precision}))
    servers = serving([tmp_path])
    connection = http.client.HTTPConnection("127.0.0.1", next(servers), timeout=30)
    keys = "&".join(f"run={key_of(tmp_path / name)}" for name in ("one", "two"))
    connection.request("GET", f"/compare?{keys}")
    shown = connection.getresponse().read().decode()
    connection.close()
    assert "trained with different precisions" in shown
    assert "<code>precision</code>" in shown
    assert "<code>seed</code>" not in shown
    next(servers, None)


def test_a_new_record_changes_the_version_at_once_and_the_view_with_it(tmp_path: Path) -> None:
    shutil.copytree(FINISHED, tmp_path / "live")
    records = tmp_path / "live" / "records.jsonl"
    lines = records.read_bytes().splitlines(keepends=True)
    records.write_bytes(b"".join(lines[:3]))
    runs = Runs([tmp_path])
    key = key_of(tmp_path / "live")
    before = version(tmp_path / "live")
    first = runs.get(key)
    with records.open("ab") as stream:
        stream.write(lines[3])
    second = runs.get(key)
    assert version(tmp_path / "live") != before
    assert first is not None
    assert second is not None
    assert (first.trials, second.trials) == (3, 4)


def test_a_run_folder_itself_may_be_served(folder: Path) -> None:
    assert list(Runs([folder / "finished"]).paths().values()) == [folder / "finished"]


def test_nothing_is_written(ask: Ask, folder: Path) -> None:
    def state() -> dict[str, Any]:
        files = sorted((folder / "finished").rglob("*"))
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}

    before, key = state(), key_of(folder / "finished")
    for path in ("/", f"/runs/{key}", f"/runs/{key}/report", f"/runs/{key}/state"):
        ask(path)
    assert state() == before


def test_a_run_is_saved_as_one_file_and_its_language_is_switched_by_a_link(
    ask: Ask, folder: Path
) -> None:
    key = key_of(folder / HOSTILE)
    saved = ask(f"/runs/{key}/report?save=1")
    assert saved.status == 200
    assert re.search(r'filename="[\w.-]+\.html"', saved.headers["content-disposition"])
    assert 'href="?lang=ko"' in saved.text
    assert "attachment" not in ask(f"/runs/{key}/report").headers.get("content-disposition", "")


def test_comparing_says_per_pair_what_differs_or_why_it_cannot(ask: Ask, folder: Path) -> None:
    keys = [key_of(folder / name) for name in ("finished", HOSTILE)]
    page = ask("/compare?" + "&".join(f"run={key}" for key in keys)).text
    assert "Differences to finished, paired by seed" in page
    assert "<img src=x" not in page


@pytest.mark.slow
def test_fifty_folders_and_five_thousand_trials_open_in_under_two_seconds(tmp_path: Path) -> None:
    for number in range(50):
        shutil.copytree(FINISHED, tmp_path / "many" / f"run-{number}")
    big = tmp_path / "big" / "run"
    shutil.copytree(FINISHED, big)
    records = map(json.loads, (big / "records.jsonl").read_text().splitlines())
    trials = [record for record in records if record["stage"] == "search"]
    with (big / "records.jsonl").open("w") as stream:
        for number in range(5_000):
            record = trials[number % len(trials)]
            changed = {"number": number, "identity": f"{number:064x}"}
            stream.write(json.dumps(record | changed, separators=(",", ":")) + "\n")
    shown = {}
    for name, path in (("many", "/"), ("big", f"/runs/{key_of(big)}")):
        servers = serving([tmp_path / name])
        connection = http.client.HTTPConnection("127.0.0.1", next(servers), timeout=60)
        before = time.process_time()
        connection.request("GET", path)
        shown[name] = connection.getresponse().read().decode()
        took = time.process_time() - before
        print(f"{name}: {took:.2f} s of processor time")
        assert took < 2
        connection.close()
        next(servers, None)
    assert "50 runs" in shown["many"]
    assert re.search("5,?000 of", shown["big"])
