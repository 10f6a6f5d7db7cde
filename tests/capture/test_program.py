"""Tests of watching the backward passes of a program."""

import torch
from torch import nn
from torch.nn import functional as F

from actlab.capture.location import Location
from actlab.capture.program import PassWatch
from actlab.capture.trace import Trace


def test_an_evaluation_between_two_passes_is_not_recorded() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    x, y = torch.randn(8, 4), torch.arange(8) % 3
    seen: list[list[str]] = []

    def on_pass(trace: Trace, loss: torch.Tensor, place: Location) -> None:
        del loss, place
        seen.append([call.op for call in trace.calls])

    with PassWatch(on_pass) as watch:
        for _epoch in range(3):
            net.train()
            scores = net(x)
            loss = F.cross_entropy(scores, y)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # as users write it
            optimizer.step()
            right = (scores.argmax(1) == y).float().mean()
            assert 0.0 <= float(right) <= 1.0
            assert torch.isfinite(loss)
            net.eval()
            for _batch in range(5):
                net(x).softmax(1)  # with gradients
                with torch.no_grad():
                    net(x).argmax(1)
            assert len(watch._sink.trace.calls) <= 10  # what was done with the predictions
    assert seen[0] == ["linear", "relu", "linear", "cross_entropy"]
    assert all(ops[-4:] == seen[0] for ops in seen[1:])
    assert max(map(len, seen)) <= 4 + 10


def test_what_makes_no_gradient_begins_no_step() -> None:
    weight = torch.ones(3, requires_grad=True)
    with PassWatch(lambda *_given: None) as watch:
        weight.argmax()
        assert watch._sink.waits
        assert not watch._sink.trace.calls
        weight * 2
        assert not watch._sink.waits
