"""Further healthy programs: distillation, codes, graphs, depth and training recipes."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, right, zero_one
from tests.checker.faults_of_heads_and_losses import Two, same
from tests.checker.right_policies_and_generators import noise


@right()
def sinusoidal_image() -> Situation:
    class Sine(nn.Module):
        def __init__(self, i: int, o: int, first: bool) -> None:
            super().__init__()
            self.fc = nn.Linear(i, o)
            bound = 1 / i if first else math.sqrt(6 / i) / 30
            nn.init.uniform_(self.fc.weight, -bound, bound)

        def forward(self, x: Tensor) -> Tensor:
            return torch.sin(30 * self.fc(x))

    net = nn.Sequential(Sine(2, 32, first=True), Sine(32, 32, first=False), nn.Linear(32, 1))
    x = torch.rand(64, 2) * 2 - 1
    return Situation(net, nn.MSELoss(), (x, x.prod(1, keepdim=True)))


@right()
def graph_attention() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.a, self.out = nn.Linear(12, 16), nn.Linear(32, 1), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Any:
            h = self.w(x)
            pairs = torch.cat([h.repeat_interleave(16, 0), h.repeat(16, 1)], 1)
            e = F.leaky_relu(self.a(pairs), 0.2).view(16, 16)
            e = e.masked_fill(torch.arange(256).view(16, 16) % 3 == 1, -1e9)
            return self.out(F.elu(torch.softmax(e, dim=1) @ h))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@right()
def highway_and_maxout() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.h, self.t, self.m = nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 5 * 3)

        def forward(self, x: Tensor) -> Any:
            gate = torch.sigmoid(self.t(x))
            x = gate * torch.tanh(self.h(x)) + (1 - gate) * x
            return self.m(x).view(-1, 5, 3).amax(-1)

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@right()
def selected_by_weight_decay() -> Situation:
    net = nn.Sequential(nn.Linear(12, 24), nn.PReLU(24), nn.Linear(24, 5))
    slopes = [net[1].weight]
    rest = [p for p in net.parameters() if p is not slopes[0]]
    groups: list[dict[str, Any]] = [{"params": rest, "weight_decay": 5e-4}, {"params": slopes}]
    optimiser = torch.optim.SGD(groups, lr=0.1)
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12), optimizer=optimiser)


@right()
def self_normalising() -> Situation:
    layers: list[nn.Module] = []
    for width in (64, 64, 64):
        layers += [nn.Linear(width, 64), nn.SELU(), nn.AlphaDropout(0.05)]
    net = nn.Sequential(*layers, nn.Linear(64, 5))
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
            nn.init.zeros_(layer.bias)
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 64, samples=64))


@right()
def deep_residual_network() -> Situation:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
            self.n, self.m = nn.BatchNorm2d(8), nn.BatchNorm2d(8)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x + self.m(self.b(F.relu(self.n(self.a(x))))))

    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), *[Block() for _number in range(6)],
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5),
    )  # fmt: skip
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 3, 8, 8))


@right()
def transformer_translator() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(20, 16)
            nn.init.normal_(self.embed.weight, std=0.02)
            self.body = nn.Transformer(16, 2, 1, 1, 32, batch_first=True)

        def forward(self, source: Tensor, target: Tensor) -> Any:
            mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
            h = self.body(self.embed(source), self.embed(target), tgt_mask=mask)
            return F.linear(h, self.embed.weight)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(out.flatten(0, 1), y.flatten(), ignore_index=0, label_smoothing=0.1)

    ids = torch.arange(32).view(4, 8) % 20
    return Situation(Net(), loss, ((ids, ids[:, :-1]), ids[:, 1:]))


@right()
def metrics_beside_the_loss() -> Situation:
    net = Two(5, same)
    x, y = classes(5, 12)

    def step() -> Tensor:
        out = net(x)
        confidence = out.softmax(1).max(1).values.mean().item()
        right = (out.argmax(1) == y).float().mean().item()
        assert 0 <= confidence <= 1
        assert 0 <= right <= 1
        return F.cross_entropy(out, y)

    return Situation(step=step, model=net)


@right()
def sampled_sentence_under_no_grad() -> Situation:
    net = Two(12, same)
    x = noise(8, 12)

    def step() -> Tensor:
        with torch.no_grad():
            token = torch.multinomial(net(x).softmax(-1), 1)
        return F.cross_entropy(net(F.one_hot(token[:, 0], 12).float()), token[:, 0])

    return Situation(step=step, model=net)


@right()
def low_rank_adapter() -> Situation:
    class Adapted(nn.Module):
        def __init__(self, i: int, o: int) -> None:
            super().__init__()
            self.base = nn.Linear(i, o).requires_grad_(requires_grad=False)
            self.lora_a, self.lora_b = nn.Linear(i, 2, bias=False), nn.Linear(2, o, bias=False)

        def forward(self, x: Tensor) -> Any:
            return self.base(x) + 2.0 * self.lora_b(self.lora_a(x))

    net = nn.Sequential(Adapted(12, 24), nn.GELU(), Adapted(24, 5))
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@right()
def autocast_in_bfloat16() -> Situation:
    net = Two(5, same)
    x, y = classes(5, 12)

    def step() -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return F.cross_entropy(net(x), y)

    return Situation(step=step, model=net)


@right()
def hinge_and_multi_margin() -> Situation:
    net = Two(5, same)
    x, y = classes(5, 12)

    def step() -> Tensor:
        out = net(x)
        signs = 2.0 * F.one_hot(y, 5) - 1
        return F.multi_margin_loss(out, y) + F.relu(1 - signs * out).mean()

    return Situation(step=step, model=net)


@right()
def momentum_twins_without_negatives() -> Situation:
    online, late, guess = (
        Two(8, same),
        Two(8, same),
        nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)),
    )
    a, b = noise(16, 12), noise(16, 12)

    def step() -> Tensor:
        with torch.no_grad():
            wanted = F.normalize(late(b), dim=1)
        return 2 - 2 * (F.normalize(guess(online(a)), dim=1) * wanted).sum(1).mean()

    return Situation(step=step)


@right()
def sparse_autoencoder_of_features() -> Situation:
    up, down = nn.Linear(12, 48), nn.Linear(48, 12)
    x = noise(64, 12)

    def step() -> Tensor:
        code = F.relu(up(x - down.bias))
        return F.mse_loss(down(code), x) + 1e-3 * code.abs().sum(1).mean()

    return Situation(step=step)


@right()
def survival_times() -> Situation:
    net = Two(6, same)
    x, bins, seen = noise(16, 12), torch.arange(16) % 6, torch.arange(16) % 3 > 0

    def step() -> Tensor:
        hazard = net(x)
        alive = -F.softplus(hazard).cumsum(1)
        log_alive = F.pad(alive, (1, 0)).gather(1, bins[:, None]).squeeze(1)
        log_event = F.logsigmoid(hazard.gather(1, bins[:, None]).squeeze(1))
        return -(log_alive + seen * log_event).mean()

    return Situation(step=step)


@right()
def heads_in_a_dictionary() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(12, 32)
            self.heads = nn.ModuleDict({"box": nn.Linear(32, 4), "kind": nn.Linear(32, 5),
                                        "object": nn.Linear(32, 1)})  # fmt: skip

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            h = F.mish(self.body(x))
            out = {name: head(h) for name, head in self.heads.items()}
            out["box"] = out["box"].sigmoid()
            out["p"] = out["kind"].softmax(1)
            return out

    def loss(out: dict[str, Tensor], y: dict[str, Tensor]) -> Tensor:
        here = F.binary_cross_entropy_with_logits(out["object"][:, 0], y["object"])
        return F.l1_loss(out["box"], y["box"]) + F.cross_entropy(out["kind"], y["kind"]) + here

    x, kind = classes(5, 12)
    return Situation(
        Net(), loss, (x, {"box": torch.rand(16, 4), "kind": kind, "object": zero_one(16)})
    )


@right()
def features_of_a_frozen_network() -> Situation:
    class Restorer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)

        def forward(self, x: Tensor) -> Any:
            return self.b(F.relu(self.a(x)))

    eye = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())
    eye.requires_grad_(requires_grad=False)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.l1_loss(out, y) + F.mse_loss(eye(out), eye(y))

    x = noise(4, 3, 8, 8)
    return Situation(Restorer(), loss, (x, 0.9 * x))
