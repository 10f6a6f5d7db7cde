"""The layers of a sequence: applied in turn they are what the sequence computes."""

import torch
from torch import Tensor, nn

from actlab.sequences import sequence_layers


def nested() -> nn.Sequential:
    torch.manual_seed(0)
    block = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Tanh(), nn.Linear(4, 3)))
    return nn.Sequential(nn.Flatten(), block, nn.ReLU())


def test_the_layers_in_turn_are_the_sequence_and_have_its_names() -> None:
    network, rows = nested(), torch.randn(5, 2, 2)
    layers = sequence_layers(network)
    values = rows
    for name, layer in layers:
        assert network.get_submodule(name) is layer
        values = layer(values)
    assert torch.equal(values, network(rows))
    assert [name for name, _layer in layers] == ["0", "1.0", "1.1.0", "1.1.1", "2"]


def test_a_sequence_that_somebody_listens_to_stays_whole() -> None:
    network = nested()
    network[1].register_forward_hook(lambda *_given: None)
    assert [name for name, _layer in sequence_layers(network)] == ["0", "1", "2"]


def test_a_sequence_of_a_class_of_its_own_stays_whole() -> None:
    class Doubled(nn.Sequential):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's name
            doubled: Tensor = 2 * super().forward(input)
            return doubled

    assert len(sequence_layers(nn.Sequential(Doubled(nn.ReLU(), nn.ReLU())))) == 1
