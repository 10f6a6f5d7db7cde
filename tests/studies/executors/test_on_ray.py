"""What is said of an address at which Ray has no client server that would have us."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
import ray

from actlab.errors import EngineError
from actlab.studies.executors.on_ray import RayExecutor, _connect

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


FAILED = "Initialization failure from server:\nTraceback (most recent call last):\n"


@contextmanager
def server(answer: Callable[[Any, Any], bytes] | None) -> Iterator[str]:
    """Have a server of gRPC that gives one answer to everything, or knows no question."""

    class Everything(grpc.GenericRpcHandler):  # type: ignore[misc]  # gRPC has no types
        def service(self, _details: Any) -> Any:
            return None if answer is None else grpc.unary_unary_rpc_method_handler(answer)

    with ThreadPoolExecutor(4) as threads:
        listening = grpc.server(threads, handlers=[Everything()])
        port = listening.add_insecure_port("127.0.0.1:0")
        listening.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            listening.stop(0).wait()


def said_of(address: str) -> str:
    before = time.monotonic()
    with pytest.raises(EngineError) as raised:
        RayExecutor(address, 60.0)
    assert time.monotonic() - before < 25
    message = str(raised.value)
    assert message.startswith(f"There must be a Ray cluster at {address}; it cannot be reached: ")
    assert "\n" not in message
    return message


def test_a_cluster_that_wants_a_token_is_told_from_one_that_is_gone() -> None:
    def refuse(_request: Any, context: Any) -> bytes:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "Invalid or missing authentication token")
        raise AssertionError

    with server(refuse) as address:
        assert "it wants a token: set RAY_AUTH_MODE=token here" in said_of(address)


def test_a_server_that_is_not_ray_s_client_server_is_said() -> None:
    with server(None) as address:
        assert "no client server of Ray, whose port is 10001" in said_of(address)


@pytest.mark.parametrize("failures", [1, 3])
def test_a_client_server_whose_process_for_us_did_not_start_is_asked_again(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def init(address: str, **_options: Any) -> None:
        calls.append(address)
        if calls.count(address) <= failures:
            raise ConnectionAbortedError(
                f"{FAILED}RuntimeError: Starting Ray client server failed."
            )

    monkeypatch.setattr("actlab.studies.executors.on_ray._await_server", lambda _address: None)
    monkeypatch.setattr("ray.init", init)
    monkeypatch.setattr("ray.shutdown", lambda: calls.append("shutdown"))
    if failures == 1:
        _connect(ray, "127.0.0.1:10001")
        assert calls == ["ray://127.0.0.1:10001", "shutdown", "ray://127.0.0.1:10001"]
    else:
        with pytest.raises(EngineError, match=r"ended at its start, 3 times.*FORK_SUPPORT=0"):
            _connect(ray, "127.0.0.1:10001")
        assert calls == ["ray://127.0.0.1:10001", "shutdown"] * 3


def test_what_a_client_server_says_of_anything_else_is_passed_on_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def init(_address: str, **_options: Any) -> None:
        calls.append("init")
        raise ConnectionAbortedError(f"{FAILED}ValueError: no such namespace")

    calls: list[str] = []
    monkeypatch.setattr("actlab.studies.executors.on_ray._await_server", lambda _address: None)
    monkeypatch.setattr("ray.init", init)
    monkeypatch.setattr("ray.shutdown", lambda: None)
    with pytest.raises(EngineError, match="cannot be reached: ValueError: no such namespace"):
        _connect(ray, "127.0.0.1:10001")
    assert calls == ["init"]


@pytest.mark.slow
def test_a_server_that_never_answers_is_given_up_within_30_seconds() -> None:
    def sleep(_request: Any, _context: Any) -> bytes:
        time.sleep(12)
        return b""

    with server(sleep) as address:
        assert "it does not answer within 8 s" in said_of(address)
