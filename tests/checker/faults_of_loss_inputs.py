"""What a loss receives: probabilities for logits and so on, each with its corrected twin."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault, zero_one


def head(fixed: bool, wrong: nn.Module) -> list[nn.Module]:
    return [] if fixed else [wrong]


@fault("ACT101", "error")
def federated_mlp(fixed: bool) -> Situation:
    class MLP(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer_input, self.layer_hidden = nn.Linear(784, 200), nn.Linear(200, 10)
            self.relu, self.dropout, self.softmax = nn.ReLU(), nn.Dropout(), nn.Softmax(dim=1)

        def forward(self, x: Tensor) -> Any:
            x = x.view(-1, x.shape[1] * x.shape[-2] * x.shape[-1])
            x = self.relu(self.dropout(self.layer_input(x)))
            x = self.layer_hidden(x)
            return x if fixed else self.softmax(x)

    return Situation(MLP(), nn.CrossEntropyLoss(), classes(10, 1, 28, 28))


@fault("ACT101", "error")
def logistic_regression(fixed: bool) -> Situation:
    linear = nn.Linear(42, 42)
    x, y = classes(42, 42, samples=64)

    def step() -> Tensor:
        logits = linear(x)
        return F.cross_entropy(logits if fixed else F.softmax(logits, dim=-1), y)

    return Situation(step=step)


@fault("ACT101", "error")
def validation_on_softmax(fixed: bool) -> Situation:
    class Scorer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.out = nn.Linear(30, 30), nn.Linear(30, 4)

        def forward(self, x: Tensor) -> Any:
            return self.out(torch.relu(self.dense(x)))

    model = Scorer().eval()
    x, y = classes(4, 30)

    def validate() -> Tensor:
        with torch.no_grad():
            scores = model(x)
            return F.cross_entropy(scores if fixed else torch.softmax(scores, dim=1), y)

    return Situation(step=validate, model=model)


@fault("ACT101", "error")
def scores_of_candidates(fixed: bool) -> Situation:
    class Ranker(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(12, 1)

        def forward(self, candidates: Tensor) -> Any:
            scores = self.linear(candidates).squeeze(-1)
            return scores if fixed else F.softmax(scores, dim=-1)

    return Situation(Ranker(), nn.CrossEntropyLoss(), classes(6, 6, 12))


@fault("ACT101", "error")
def node_matching(fixed: bool) -> Situation:
    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Linear(8, 16)

        def forward(self, a: Tensor, b: Tensor) -> Any:
            scores = torch.matmul(self.embed(a), self.embed(b).transpose(1, 2)) / 16**0.5
            return scores if fixed else torch.softmax(scores, dim=2)

    def loss(scores: Tensor, y: Tensor) -> Tensor:
        return sum(
            (F.cross_entropy(out, torch.arange(out.shape[0])) for out in scores),
            torch.zeros(()),
        )

    x = (torch.randn(4, 7, 8), torch.randn(4, 7, 8))
    return Situation(Siamese(), loss, (x, torch.zeros(4)))


@fault("ACT101", "error")
def implicit_softmax(fixed: bool) -> Situation:
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), *head(fixed, nn.Softmax()))
    return Situation(net, nn.CrossEntropyLoss(), classes(10, 64))


@fault("ACT204", "warning")
def implicit_dim(fixed: bool) -> Situation:
    net = nn.Sequential(nn.Linear(64, 10), nn.LogSoftmax(dim=1 if fixed else None))
    return Situation(net, nn.NLLLoss(), classes(10, 64))


@fault("ACT101", "error")
def lstm_classifier(fixed: bool) -> Situation:
    class Lrcn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(20, 16, batch_first=True)
            self.fc = nn.Sequential(nn.Linear(16, 11), *head(fixed, nn.Softmax(dim=-1)))

        def forward(self, x: Tensor) -> Any:
            out, _state = self.lstm(x)
            return self.fc(out[:, -1, :])

    return Situation(Lrcn(), nn.CrossEntropyLoss(), classes(11, 5, 20, samples=22))


@fault("ACT101", "error")
def cosine_scores(fixed: bool) -> Situation:
    class Dssm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.doc = nn.Linear(20, 8), nn.Linear(20, 8)

        def forward(self, q: Tensor, docs: Tensor) -> Any:
            query = torch.tanh(self.query(q))
            document = torch.tanh(self.doc(docs))
            scores = F.cosine_similarity(query.unsqueeze(1), document, dim=2)
            return scores if fixed else F.softmax(scores, dim=1)

    x = (torch.randn(16, 20), torch.randn(16, 5, 20))
    return Situation(Dssm(), nn.CrossEntropyLoss(), (x, torch.zeros(16, dtype=torch.long)))


@fault("ACT101", "error")
def test_cnn_without_logits(fixed: bool) -> Situation:
    class Model(nn.Module):
        def __init__(self, from_logits: bool) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 1, 7), nn.Linear(25, 10)
            self.from_logits = from_logits

        def forward(self, x: Tensor) -> Any:
            x = F.max_pool2d(F.relu(self.conv(x)), 4)
            x = self.fc(x.reshape(-1, 25))
            return x if self.from_logits else nn.functional.softmax(x, dim=1)

    loss = nn.CrossEntropyLoss(reduction="sum")
    return Situation(Model(fixed), loss, classes(10, 1, 28, 28))


@fault("ACT103", "error")
def yolo_class_loss(fixed: bool) -> Situation:
    conv = nn.Conv2d(8, 3 * 9, 1)
    features = torch.randn(2, 8, 4, 4)
    mask = torch.zeros(2, 3, 4, 4, dtype=torch.bool)
    mask[:, 0, 1:3, 1] = True
    one_hot = F.one_hot(torch.arange(4) % 4, 4).float()

    def step() -> Tensor:
        prediction = conv(features).view(2, 3, 9, 4, 4).permute(0, 1, 3, 4, 2).contiguous()
        x = torch.sigmoid(prediction[..., 0])
        confidence = torch.sigmoid(prediction[..., 4])
        classes_ = prediction[..., 5:] if fixed else torch.sigmoid(prediction[..., 5:])
        loss = F.mse_loss(x[mask], torch.full((4,), 0.5))
        loss = loss + F.binary_cross_entropy(confidence, mask.float())
        return loss + nn.CrossEntropyLoss()(classes_[mask], torch.argmax(one_hot, 1))

    return Situation(step=step)


@fault("ACT103", "error")
def iris_sigmoid(fixed: bool) -> Situation:
    net = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 3), *head(fixed, nn.Sigmoid()))
    return Situation(net, nn.CrossEntropyLoss(), classes(3, 4, samples=30))


@fault("ACT103", "error")
def mnist_sigmoid(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(4 * 13 * 13, 10)

        def forward(self, x: Tensor) -> Any:
            x = F.max_pool2d(self.conv(x).relu(), 2).flatten(1)
            return self.fc(x) if fixed else self.fc(x).sigmoid()

    return Situation(Net(), nn.CrossEntropyLoss(), classes(10, 1, 28, 28))


@fault("ACT104", "error")
def binary_output_block(fixed: bool) -> Situation:
    class BinaryOutput(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.to_call = nn.Sequential(nn.LazyLinear(1), nn.Sigmoid())
            self.default_loss = nn.BCELoss() if fixed else nn.BCEWithLogitsLoss()

        def forward(self, x: Tensor) -> Any:
            return self.to_call(x)

    block = BinaryOutput()
    x = torch.randn(16, 12)
    block(x)
    return Situation(block, block.default_loss, (x, zero_one(16, 1)))


@fault("ACT104", "error")
def recommender(fixed: bool) -> Situation:
    class NeuMF(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.user, self.item = nn.Embedding(30, 8), nn.Embedding(40, 8)
            self.predict_layer = nn.Linear(8, 1)

        def forward(self, user: Tensor, item: Tensor) -> Any:
            score = self.predict_layer(self.user(user) * self.item(item))
            return score.view(-1) if fixed else torch.sigmoid(score).view(-1)

    x = (torch.arange(16), torch.arange(16) + 3)
    return Situation(NeuMF(), nn.BCEWithLogitsLoss(reduction="sum"), (x, zero_one(16)))


@fault("ACT104", "error")
def binary_focal(fixed: bool) -> Situation:
    class FocalLoss(nn.Module):
        def forward(self, inputs: Tensor, targets: Tensor) -> Any:
            probs = torch.sigmoid(inputs)
            given = inputs if fixed else probs
            bce = F.binary_cross_entropy_with_logits(given, targets, reduction="none")
            p_t = probs * targets + (1 - probs) * (1 - targets)
            return (bce * (1 - p_t) ** 2).mean()

    return Situation(nn.Linear(10, 1), FocalLoss(), (torch.randn(16, 10), zero_one(16, 1)))


@fault("ACT104", "error")
def adult_mlp(fixed: bool) -> Situation:
    class AdultNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(14, 64), nn.Linear(64, 64), nn.Linear(64, 1)

        def forward(self, x: Tensor) -> Any:
            x = torch.relu(self.fc2(torch.relu(self.fc1(x))))
            out = self.fc3(x)
            return out if fixed else torch.sigmoid(out)

    return Situation(AdultNet(), nn.BCEWithLogitsLoss(), (torch.randn(16, 14), zero_one(16, 1)))


@fault("ACT104", "error")
def transformer_mean_pool(fixed: bool) -> Situation:
    class Graph(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
            self.affine = nn.Linear(16, 1)

        def forward(self, x: Tensor) -> Any:
            out = self.affine(self.layer(x).mean(dim=1))
            return out if fixed else torch.sigmoid(out)

    model = Graph()
    x, y = torch.randn(8, 5, 16), zero_one(8)

    def step() -> Tensor:
        return F.binary_cross_entropy_with_logits(model(x).squeeze(1), y)

    return Situation(step=step, model=model)


@fault("ACT104", "error")
def multilabel_end(fixed: bool) -> Situation:
    class MultilabelNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.relu, self.out = nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 3)
            self.sigmoid = nn.Sigmoid()

        def forward(self, x: Tensor) -> Any:
            x = self.out(self.relu(self.hidden(x)))
            return x if fixed else self.sigmoid(x)

    loss = nn.BCEWithLogitsLoss()
    return Situation(MultilabelNetwork(), loss, (torch.randn(16, 10), zero_one(16, 3)))


@fault("ACT103", "error")
def super_learn(fixed: bool) -> Situation:
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2), *head(fixed, nn.Sigmoid())
    )
    return Situation(net, nn.CrossEntropyLoss(), classes(2, 1, 8, 8))


@fault("ACT106", "error")
def test_function_without_log(fixed: bool) -> Situation:
    model = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 2)).eval()
    x, y = classes(2, 20)

    def test() -> Tensor:
        with torch.no_grad():
            out = model(x)
            given = F.log_softmax(out, dim=1) if fixed else F.softmax(out, dim=1)
            return F.nll_loss(given, y)

    return Situation(step=test, model=model)


@fault("ACT106", "error")
def pointer_generator(fixed: bool) -> Situation:
    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vocab, self.gen, self.attend = nn.Linear(8, 12), nn.Linear(8, 1), nn.Linear(8, 8)

        def forward(self, state: Tensor, memory: Tensor, ids: Tensor) -> Any:
            p_vocab = F.softmax(self.vocab(state), dim=1)
            scores = torch.bmm(memory, self.attend(state).unsqueeze(2)).squeeze(2)
            attention = F.softmax(scores, dim=1)
            p_gen = torch.sigmoid(self.gen(state))
            mixed = (p_gen * p_vocab).scatter_add(1, ids, (1 - p_gen) * attention)
            return torch.log(mixed + 1e-12) if fixed else mixed

    x = (torch.randn(16, 8), torch.randn(16, 5, 8), torch.randint(0, 12, (16, 5)))
    return Situation(Decoder(), nn.NLLLoss(), (x, torch.arange(16) % 12))


@fault("ACT106", "error")
def doc_example_nll_2d(fixed: bool) -> Situation:
    net = nn.Sequential(nn.Conv2d(6, 4, 3), *([nn.LogSoftmax(dim=1)] if fixed else []))
    y = torch.arange(5 * 6 * 6).reshape(5, 6, 6) % 4
    return Situation(net, nn.NLLLoss(), (torch.randn(5, 6, 8, 8), y))


@fault("ACT106", "error")
def nll_of_probabilities(fixed: bool) -> Situation:
    p, y = torch.tensor([[0.9, 0.1]]), torch.tensor([0])
    return Situation(step=lambda: F.nll_loss(p.log() if fixed else p, y))


@fault("ACT107", "error")
def distillation_of_pixels(fixed: bool) -> Situation:
    student, teacher = nn.Conv2d(3, 5, 1), nn.Conv2d(3, 5, 1)
    images = torch.randn(2, 3, 6, 6)

    def step() -> Tensor:
        with torch.no_grad():
            wanted = F.softmax(teacher(images), dim=1)
        scores = student(images)
        given = F.log_softmax(scores, dim=1) if fixed else F.softmax(scores, dim=1)
        return F.kl_div(given, wanted, reduction="batchmean")

    return Situation(step=step)
