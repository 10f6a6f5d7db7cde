"""A watch that runs for days, in the company that trainings keep."""

import contextlib
import gc
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.checker.watching.test_watch import hooks, mlp, step, watched


def taken(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> tuple[int, int]:
    """Take training steps; return the bytes and the objects that Python holds afterwards."""
    for _step in range(steps):
        optimizer.zero_grad()
        step(model, samples=6)
        optimizer.step()
    gc.collect()
    return tracemalloc.get_traced_memory()[0], len(gc.get_objects())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_steps_leave_no_more_than_ten_thousand() -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    with watched(model, every=100) as watch:
        taken(model, optimizer, 9_900)
        tracemalloc.start(1)
        try:
            early, early_objects = taken(model, optimizer, 100)
            late, late_objects = taken(model, optimizer, 90_000)
        finally:
            tracemalloc.stop()
        sampled = watch.summary.models[0].sampled
    # 1,000 passes were due; those beyond a watch's share of the time are left out.
    assert sampled >= 100, "it went on looking"
    assert late - early < 100_000
    assert late_objects - early_objects < 500
    assert hooks(model) == 0


class Wrapper(nn.Module):
    """What frameworks do: another module around the one that is trained."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *arguments: Any, **named: Any) -> Tensor:
        found: Tensor = self.module(*arguments, **named)
        return found


@pytest.mark.parametrize("outer", [True, False])
def test_a_wrapper_and_what_is_in_it(outer: bool) -> None:
    inner = mlp()
    wrapped = Wrapper(Wrapper(inner))
    with watched(wrapped if outer else inner) as watch:
        for _step in range(3):
            step(wrapped)
    (found,) = watch.summary.models
    assert found.sampled == 3
    assert len(watch.summary.activations) == 1
    assert hooks(inner) == hooks(wrapped) == 0


def train_as_one_of(count: int, rank: int, meeting: Path) -> None:
    """Take steps in a group of so many processes: the gradients are everybody's, and nobody sees a
    difference between a model that is watched and one that is not.
    """
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel

    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=count
    )
    try:
        weights = []
        for looked_at in (False, True):
            torch.manual_seed(0)
            inner = mlp()
            model = DistributedDataParallel(inner)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            torch.manual_seed(1 + rank)  # rows of its own
            with watched(model) if looked_at else contextlib.nullcontext() as watch:
                taken(model, optimizer, 3)
            weights.append(torch.cat([one.detach().flatten() for one in inner.parameters()]))
            if watch is not None:
                assert watch.summary.models[0].sampled == 3
                assert len(watch.summary.activations) == 1
                assert watch.summary.layers
        assert torch.equal(*weights)
        everybodys = [torch.empty_like(weights[0]) for _rank in range(count)]
        distributed.all_gather(everybodys, weights[0])
        assert all(torch.equal(weights[0], one) for one in everybodys)
    finally:
        distributed.destroy_process_group()


@pytest.mark.slow
def test_distributed_data_parallel(tmp_path: Path) -> None:
    train_as_one_of(1, 0, tmp_path / "meeting")


def one_of_two(rank: int, meeting: Path) -> None:
    train_as_one_of(2, rank, meeting)


@pytest.mark.slow
def test_distributed_data_parallel_in_two_processes(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(one_of_two, args=(tmp_path / "meeting",), nprocs=2)


def test_threads_watch_models_of_their_own() -> None:
    models = [
        nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 3)) for width in (16, 32, 48)
    ]
    watches: dict[int, Any] = {}
    failures: list[BaseException] = []

    def train(place: int) -> None:
        try:
            with watched(models[place]) as watches[place]:
                for _step in range(6):
                    step(models[place])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=train, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [watches[place].summary.models[0].sampled for place in range(3)] == [6, 6, 6]
    units = [watches[place].summary.activations[0].units for place in range(3)]
    assert units == [16, 32, 48], "each saw its own"
    assert [hooks(model) for model in models] == [0, 0, 0]
