"""Programs that look wrong and are right."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, right, zero_one


@right("info")
def dcgan_discriminator() -> Situation:
    d = nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(8, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(16, 1, 4, 1, 0, bias=False), nn.Sigmoid(),
    )  # fmt: skip
    g = nn.Sequential(
        nn.ConvTranspose2d(10, 16, 4, 1, 0, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
        nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(True),
        nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    real, noise, criterion = (
        torch.rand(4, 3, 16, 16) * 2 - 1,
        torch.randn(4, 10, 1, 1),
        nn.BCELoss(),
    )

    def step() -> Tensor:
        output = d(real).view(-1)
        loss = criterion(output, torch.full((4,), 1.0))
        fake = g(noise)
        return loss + criterion(d(fake.detach()).view(-1), torch.full((4,), 0.0))

    return Situation(step=step)


@right()
def reinforce() -> Situation:
    class Policy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.affine1, self.dropout = nn.Linear(4, 128), nn.Dropout(p=0.6)
            self.affine2 = nn.Linear(128, 2)

        def forward(self, x: Tensor) -> Any:
            x = F.relu(self.dropout(self.affine1(x)))
            return F.softmax(self.affine2(x), dim=1)

    policy = Policy()
    states, rewards = torch.randn(12, 1, 4), torch.randn(12)

    def step() -> Any:
        losses = []
        for state, reward in zip(states, rewards, strict=True):
            m: Any = torch.distributions.Categorical(policy(state))
            losses.append(-m.log_prob(m.sample()) * reward)
        return torch.cat(losses).sum()

    return Situation(step=step)


@right()
def mnist_main() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, 1), nn.Conv2d(8, 16, 3, 1)
            self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
            self.fc1, self.fc2 = nn.Linear(2304, 32), nn.Linear(32, 10)

        def forward(self, x: Tensor) -> Any:
            x = F.relu(self.conv2(F.relu(self.conv1(x))))
            x = torch.flatten(self.dropout1(F.max_pool2d(x, 2)), 1)
            x = self.fc2(self.dropout2(F.relu(self.fc1(x))))
            return F.log_softmax(x, dim=1)

    return Situation(Net(), F.nll_loss, classes(10, 1, 28, 28))


@right()
def word_language_model() -> Situation:
    class RNNModel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.drop, self.encoder = nn.Dropout(0.2), nn.Embedding(50, 16)
            self.rnn, self.decoder = nn.LSTM(16, 16, 2, dropout=0.2), nn.Linear(16, 50)
            nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
            nn.init.zeros_(self.decoder.bias)
            nn.init.uniform_(self.decoder.weight, -0.1, 0.1)

        def forward(self, x: Tensor) -> Any:
            output, _hidden = self.rnn(self.drop(self.encoder(x)))
            decoded = self.decoder(self.drop(output)).view(-1, 50)
            return F.log_softmax(decoded, dim=1)

    ids = torch.randint(0, 50, (12, 4))
    return Situation(RNNModel(), nn.NLLLoss(), (ids, torch.randint(0, 50, (48,))))


@right()
def gat() -> Situation:
    class Layer(nn.Module):
        def __init__(self, n_in: int, n_out: int, heads: int, concat: bool) -> None:
            super().__init__()
            self.W = nn.Parameter(torch.empty(n_in, n_out * heads))
            self.a = nn.Parameter(torch.empty(heads, 2 * n_out, 1))
            nn.init.xavier_normal_(self.W)
            nn.init.xavier_normal_(self.a)
            self.heads, self.n_out, self.concat = heads, n_out, concat

        def forward(self, h: Tensor, adj: Tensor) -> Any:
            n = h.shape[0]
            h = F.dropout(torch.mm(h, self.W), 0.6, self.training)
            h = h.view(n, self.heads, self.n_out).permute(1, 0, 2)
            source = torch.matmul(h, self.a[:, : self.n_out, :])
            target = torch.matmul(h, self.a[:, self.n_out :, :])
            e = F.leaky_relu(source + target.mT, 0.2)
            e = torch.where(adj > 0, e, -9e16 * torch.ones_like(e))
            attention = F.dropout(F.softmax(e, dim=-1), 0.6, self.training)
            h = torch.matmul(attention, h)
            return h.permute(1, 0, 2).reshape(n, -1) if self.concat else h.mean(dim=0)

    class Gat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gat1, self.gat2 = Layer(20, 8, 4, True), Layer(32, 7, 1, False)

        def forward(self, x: Tensor, adj: Tensor) -> Any:
            x = F.elu(self.gat1(x, adj))
            return F.log_softmax(self.gat2(x, adj), dim=1)

    adjacency = ((torch.rand(30, 30) < 0.2) | torch.eye(30).bool()).float()
    words = (torch.rand(30, 20) < 0.2).float() + 0.01
    x = (words / words.sum(1, keepdim=True), adjacency)
    return Situation(Gat(), F.nll_loss, (x, torch.arange(30) % 7))


@right("info")
def polynomial_regression() -> Situation:
    fc = nn.Linear(4, 1)
    x = torch.randn(32, 1)
    features = torch.cat([x**i for i in range(1, 5)], 1)
    y = features @ torch.randn(4, 1) + 0.5
    return Situation(step=lambda: F.smooth_l1_loss(fc(features), y))


@right()
def skorch_get_loss() -> Situation:
    net = nn.Sequential(nn.Linear(20, 10), nn.ReLU(), nn.Linear(10, 3), nn.Softmax(dim=-1))
    criterion = nn.NLLLoss()

    def get_loss(y_pred: Tensor, y: Tensor) -> Any:
        eps = torch.finfo(y_pred.dtype).eps
        return criterion(torch.log(y_pred + eps), y)

    return Situation(net, get_loss, classes(3, 20))


@right()
def token_confidence() -> Situation:
    class TokenConfidence(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Sequential(nn.Linear(16, 1), nn.Sigmoid())
            self.loss_fn = nn.BCEWithLogitsLoss(reduction="none")

        def forward(self, x: Tensor) -> Any:
            return self.token(x).squeeze(-1)

        def loss(self, x: Tensor, correct: Tensor) -> Any:
            return self.loss_fn(self.token[0](x).squeeze(-1), correct).mean()

    confidence, body = TokenConfidence(), nn.Linear(16, 16)
    x, y = torch.randn(8, 5, 16), zero_one(8, 5)

    def step() -> Any:
        hidden = body(x)
        _shown = confidence(hidden)
        return confidence.loss(hidden.detach(), y) + hidden.pow(2).mean()

    return Situation(step=step)


@right()
def edsr() -> Situation:
    class ResBlock(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(True), nn.Conv2d(8, 8, 3, padding=1)
            )

        def forward(self, x: Tensor) -> Any:
            return x + self.body(x).mul(0.1)

    class Edsr(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Conv2d(3, 8, 3, padding=1)
            self.body = nn.Sequential(ResBlock(), ResBlock(), nn.Conv2d(8, 8, 3, padding=1))
            self.tail = nn.Sequential(
                nn.Conv2d(8, 32, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(8, 3, 3, padding=1)
            )

        def forward(self, x: Tensor) -> Any:
            x = self.head(x)
            return self.tail(x + self.body(x))

    return Situation(Edsr(), nn.L1Loss(), (torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16)))


@right()
def deep_graph_infomax() -> Situation:
    class Dgi(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.act = nn.Linear(20, 16, bias=False), nn.PReLU()
            self.f_k, self.sigm = nn.Bilinear(16, 16, 1), nn.Sigmoid()

        def forward(self, x: Tensor, shuffled: Tensor, adj: Tensor) -> Any:
            h1 = self.act(torch.bmm(adj, self.fc(x)))
            c = self.sigm(h1.mean(1)).unsqueeze(1).expand_as(h1)
            h2 = self.act(torch.bmm(adj, self.fc(shuffled)))
            return torch.cat((self.f_k(h1, c), self.f_k(h2, c)), 1).squeeze(2)

    features = torch.randn(1, 12, 20)
    adj = torch.softmax(torch.randn(1, 12, 12), -1)
    labels = torch.cat((torch.ones(1, 12), torch.zeros(1, 12)), 1)
    x = (features, features[:, torch.randperm(12)], adj)
    return Situation(Dgi(), nn.BCEWithLogitsLoss(), (x, labels))


@right()
def distillation_with_temperature() -> Situation:
    student, teacher = nn.Linear(20, 5), nn.Linear(20, 5)
    x, y = classes(5, 20)

    def step() -> Tensor:
        with torch.no_grad():
            wanted = teacher(x)
        scores = student(x)
        soft = F.kl_div(
            F.log_softmax(scores / 4.0, dim=1),
            F.softmax(wanted / 4.0, dim=1),
            reduction="batchmean",
        )
        return soft * 16.0 + F.cross_entropy(scores, y)

    return Situation(step=step)


@right()
def detr() -> Situation:
    class Mlp(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 4)])

        def forward(self, x: Tensor) -> Any:
            for i, layer in enumerate(self.layers):
                x = F.relu(layer(x)) if i < 2 else layer(x)
            return x

    class Detr(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone, self.input_proj = nn.Conv2d(3, 32, 4, 4), nn.Conv2d(32, 16, 1)
            self.transformer = nn.Transformer(16, 2, 1, 1, 32, batch_first=True)
            self.query_embed = nn.Embedding(6, 16)
            self.class_embed, self.bbox_embed = nn.Linear(16, 4), Mlp()

        def forward(self, x: Tensor) -> Any:
            src = self.input_proj(F.relu(self.backbone(x))).flatten(2).permute(0, 2, 1)
            query = self.query_embed.weight.unsqueeze(0).repeat(x.shape[0], 1, 1)
            hs = self.transformer(src, query)
            boxes = self.bbox_embed(hs).sigmoid()
            return {"pred_logits": self.class_embed(hs), "pred_boxes": boxes}

    def loss(out: dict[str, Tensor], y: dict[str, Tensor]) -> Tensor:
        ce = F.cross_entropy(out["pred_logits"].transpose(1, 2), y["labels"])
        return ce + 5 * F.l1_loss(out["pred_boxes"], y["boxes"])

    y = {"labels": torch.arange(24).reshape(4, 6) % 4, "boxes": torch.rand(4, 6, 4)}
    return Situation(Detr(), loss, (torch.randn(4, 3, 16, 16), y))


@right("warning")
def softmax_for_diagnoses() -> Situation:
    gru, out = nn.GRU(20, 16, batch_first=True), nn.Linear(16, 10)
    x = torch.randn(8, 4, 20)
    y = zero_one(8, 10)
    y = y / y.sum(1, keepdim=True)

    def step() -> Tensor:
        p = F.softmax(out(gru(x)[0][:, -1]), dim=1)
        return -(y * torch.log(p + 1e-8)).sum(1).mean()

    return Situation(step=step)


@right("info")
def sync_of_rectified_embeddings() -> Situation:
    class SyncNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.face = nn.Sequential(nn.Linear(30, 16), nn.ReLU())
            self.audio = nn.Sequential(nn.Linear(20, 16), nn.ReLU())

        def forward(self, audio: Tensor, face: Tensor) -> Any:
            a = F.normalize(self.audio(audio), p=2, dim=1)
            return a, F.normalize(self.face(face), p=2, dim=1)

    def cosine_loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        d = F.cosine_similarity(out[0], out[1])
        return F.binary_cross_entropy(d.unsqueeze(1), y)

    x = (torch.randn(16, 20), torch.randn(16, 30))
    return Situation(SyncNet(), cosine_loss, (x, zero_one(16, 1)))


@right("info")
def crowd_density() -> Situation:
    last = nn.Conv2d(8, 1, 1)
    nn.init.uniform_(last.weight, 0.0, 0.2)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        last, nn.ReLU(inplace=True),
    )  # fmt: skip
    return Situation(net, nn.MSELoss(), (torch.rand(2, 1, 16, 16), torch.rand(2, 1, 8, 8)))


@right("info")
def bayesian_counting() -> Situation:
    net = nn.Conv2d(3, 1, 3, padding=1)
    x, y = torch.randn(2, 3, 8, 8), torch.rand(2, 1, 8, 8)
    return Situation(step=lambda: F.l1_loss(torch.abs(net(x)), y))


class CausalLm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.qkv = nn.Embedding(20, 16), nn.Linear(16, 48)
        self.norm, self.out, self.head = nn.LayerNorm(16), nn.Linear(16, 16), nn.Linear(16, 20)

    def forward(self, ids: Tensor) -> Any:
        x = self.embed(ids)
        b, n, _ = x.shape
        q, k, v = (t.view(b, n, 2, 8).transpose(1, 2) for t in self.qkv(self.norm(x)).chunk(3, -1))
        weights = torch.softmax(q @ k.mT / 8**0.5, dim=-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(b, n, 16))
        return self.head(self.norm(x)).transpose(1, 2)


@right("info")
def first_decoding_step() -> Situation:
    ids = torch.randint(0, 20, (2, 1))
    return Situation(CausalLm(), nn.CrossEntropyLoss(), (ids, torch.randint(0, 20, (2, 1))))


@right()
def annotated_attention() -> Situation:
    class MultiHead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value = (nn.Linear(16, 16) for _ in range(3))
            self.output, self.softmax, self.norm = (
                nn.Linear(16, 16),
                nn.Softmax(dim=1),
                nn.LayerNorm(16),
            )
            self.generator = nn.Linear(16, 12)

        def forward(self, ids: Tensor) -> Any:
            x = self.norm(ids)
            n, b, _ = x.shape
            q, k, v = (f(x).view(n, b, 2, 8) for f in (self.query, self.key, self.value))
            scores = torch.einsum("ibhd,jbhd->ijbh", q, k) * 8**-0.5
            attention = self.softmax(scores)
            y = torch.einsum("ijbh,jbhd->ibhd", attention, v).reshape(n, b, -1)
            return self.generator(ids + self.output(y)).flatten(0, 1)

    return Situation(
        MultiHead(), nn.CrossEntropyLoss(), (torch.randn(9, 4, 16), torch.arange(36) % 12)
    )


@right()
def lstm_gates() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.fc = nn.LSTMCell(6, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Any:
            h = c = torch.zeros(x.shape[0], 8)
            for t in range(x.shape[1]):
                h, c = self.cell(x[:, t], (h, c))
            return self.fc(h)

    return Situation(Net(), nn.CrossEntropyLoss(), classes(3, 5, 6))


@right()
def written_gru() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.zr, self.n, self.fc = nn.Linear(14, 16), nn.Linear(14, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Any:
            h = torch.zeros(x.shape[0], 8)
            for t in range(x.shape[1]):
                z, r = torch.sigmoid(self.zr(torch.cat((x[:, t], h), 1))).chunk(2, 1)
                n = torch.tanh(self.n(torch.cat((x[:, t], r * h), 1)))
                h = (1 - z) * n + z * h
            return self.fc(h)

    return Situation(Net(), nn.CrossEntropyLoss(), classes(3, 5, 6))


@right()
def gated_feed_forward() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.up, self.down = nn.Linear(20, 32), nn.Linear(20, 32), nn.Linear(32, 20)
            self.norm, self.glu, self.head = nn.LayerNorm(20), nn.Linear(20, 40), nn.Linear(20, 3)

        def forward(self, x: Tensor) -> Any:
            h = self.norm(x)
            x = x + self.down(F.silu(self.gate(h)) * self.up(h))
            x = x + F.glu(self.glu(self.norm(x)), dim=-1)
            return self.head(self.norm(x))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(3, 20))


@right("info")
def default_init_relu() -> Situation:
    net = nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5)
    )
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 20))


@right("info")
def default_init_tanh() -> Situation:
    net = nn.Sequential(
        nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 5)
    )
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 20))


@right("info")
def relu_twice() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv1d(4, 8, 3), nn.Linear(8, 3)
            self.block = nn.Sequential(self.conv, nn.BatchNorm1d(8), nn.ReLU())

        def forward(self, x: Tensor) -> Any:
            return self.fc(F.relu(self.block(x)).mean(-1))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(3, 4, 10))


@right()
def alphazero_value() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.pi, self.v1, self.v2 = (
                nn.Conv2d(2, 8, 3), nn.Linear(8, 9), nn.Linear(8, 8), nn.Linear(8, 1)
            )  # fmt: skip

        def forward(self, x: Tensor) -> Any:
            h = F.relu(self.conv(x)).flatten(1)
            value = torch.tanh(self.v2(F.relu(self.v1(h))))
            return F.log_softmax(self.pi(h), dim=1), value

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        log_pi, v = out
        pi, z = y
        return -(pi * log_pi).sum(1).mean() + ((z - v.view(-1)) ** 2).mean()

    y = (torch.softmax(torch.randn(16, 9), 1), torch.arange(16) % 3 - 1.0)
    return Situation(Net(), loss, (torch.randn(16, 2, 3, 3), y))


@right()
def td3_actor() -> Situation:
    class Actor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.l1, self.l2, self.max_action = nn.Linear(6, 32), nn.Linear(32, 2), 2.0

        def forward(self, s: Tensor) -> Any:
            return self.max_action * torch.tanh(self.l2(F.relu(self.l1(s))))

    actor, critic = Actor(), nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    states = torch.randn(16, 6)

    def step() -> Tensor:
        return -critic(torch.cat((states, actor(states)), 1)).mean()

    return Situation(step=step)


@right()
def critic_with_two_outputs() -> Situation:
    class Critic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.out = nn.Linear(20, 16), nn.Linear(16, 1)

        def forward(self, x: Tensor) -> Any:
            logit = self.out(F.leaky_relu(self.body(x), 0.2))
            return torch.sigmoid(logit), logit

    critic = Critic()
    real, fake = torch.randn(8, 20), torch.randn(8, 20)

    def step() -> Tensor:
        _p, real_logit = critic(real)
        _p, fake_logit = critic(fake)
        return fake_logit.mean() - real_logit.mean()

    return Situation(step=step, task="critic")


@right()
def mixture_density_network() -> Situation:
    class Mdn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = nn.LSTM(6, 16, batch_first=True), nn.Linear(16, 3 * 4 * 3)

        def forward(self, x: Tensor) -> Any:
            out = self.fc(self.rnn(x)[0]).view(x.shape[0], x.shape[1], 9, 4)
            mus, sigmas = out[..., :3, :], torch.exp(out[..., 3:6, :])
            logpi = F.log_softmax(out[..., 6:9, :], dim=-2)
            return torch.cat((mus, sigmas, logpi), dim=2)

    def nll(out: Tensor, y: Tensor) -> Tensor:
        mus, sigmas, logpi = out[:, :, :3], out[:, :, 3:6], out[:, :, 6:]
        normal: Any = torch.distributions.Normal(mus, sigmas)
        log_prob = logpi + normal.log_prob(y.unsqueeze(2))
        return -torch.logsumexp(log_prob, dim=2).mean()

    return Situation(Mdn(), nll, (torch.randn(4, 5, 6), torch.randn(4, 5, 4)))


@right("info")
def dense_sigmoid_bce() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
    return Situation(net, nn.BCELoss(), (torch.randn(16, 20), zero_one(16, 1)))


@right("info")
def dense_softmax_cce() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 2), nn.Softmax(dim=1))

    def categorical(p: Tensor, y: Tensor) -> Tensor:
        p = p.clamp(1e-7, 1 - 1e-7)
        return -(F.one_hot(y, 2) * torch.log(p)).sum(1).mean()

    return Situation(net, categorical, classes(2, 20))


@right()
def model_output_with_probs() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 4)

        def forward(self, x: Tensor) -> Any:
            logits = self.fc(x)
            return {"logits": logits, "probs": logits.softmax(-1)}

    def loss(out: dict[str, Tensor], y: Tensor) -> Tensor:
        return F.cross_entropy(out["logits"], y)

    return Situation(Net(), loss, classes(4, 20))


@right()
def sigmoid_in_the_training_loop() -> Situation:
    fcn = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))
    x, y, criterion = torch.randn(2, 3, 8, 8), zero_one(2, 2, 8, 8), nn.BCELoss()

    def step() -> Tensor:
        output = torch.sigmoid(fcn(x))
        return criterion(output, y)

    return Situation(step=step)
