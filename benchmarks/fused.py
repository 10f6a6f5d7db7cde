"""What training in lock-step saves: a population as one against its trials one by one.

Recipe: the published network with settings drawn from the published space, 3,000 training and
2,000 validation images of noise resident on the device, batches of 32, the published head. For
each size of population the second epoch counts, by when kernels are chosen and graphs recorded;
the separate trainings are of the first settings, in turn. Both do all that an epoch does: order,
steps, validation, best weights. What leads to the choice at run time (a few steps) stands beside.

    python benchmarks/fused.py [--sizes 8 32 120] [--device auto] [--precision fp32] [--quick]
"""

import argparse
from statistics import median

import torch
from torch import nn

from actlab import training
from actlab.networks import as_written, build, winograd_first
from actlab.records import Protocol, Setting
from actlab.studies import worker
from actlab.training.fused import fused_gain, train_population
from bench import publish
from settings import settings

EPOCHS = 2
ALONE = 4
"""How many trainings one by one are timed."""


def network(setting: Setting, device: training.Device) -> nn.Module:
    torch.manual_seed(0)
    built = build("published_cnn", setting.conv_activation, setting.fc_activation, "softmax")
    return training.place(winograd_first(built), device)


def part(count: int, device: training.Device) -> training.Examples:
    images = torch.rand(count, 1, 28, 28) * 2 - 1
    return training.Examples(images.to(device), torch.randint(0, 10, (count,)).to(device))


def recipe(setting: Setting, policy: training.PrecisionPolicy) -> training.Recipe:
    protocol = Protocol("published", "softmax", max_epochs=EPOCHS)
    return training.Recipe(setting.learning_rate, protocol, order_seed=1, policy=policy)


def alone(
    data: training.TrainingData, device: training.Device, how: training.PrecisionPolicy
) -> float:
    """Return the seconds per trial and epoch of trainings one by one."""
    taken = [
        training.train(network(setting, device), data, recipe(setting, how))
        for setting in settings(ALONE)
    ]
    return median(training.curve[-1].seconds for training in taken)


def together(
    size: int, data: training.TrainingData, device: training.Device, how: training.PrecisionPolicy
) -> dict[str, float]:
    """Return seconds per trial and epoch of a population, and the gain that a few steps show."""
    chosen = settings(size)
    models = [network(setting, device) for setting in chosen]
    recipes = [recipe(setting, how) for setting in chosen]
    sequences, parts = [as_written(model) for model in models], [data] * size
    gain = fused_gain(models, sequences, parts, recipes)
    found = train_population(sequences, parts, recipes)
    seconds = [training.curve[-1].seconds for training in found if len(training.curve) == EPOCHS]
    return {"seconds": median(seconds), "gain that decides": gain}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    worker.initialise()
    device = training.resolve_device(given.device)
    how = training.POLICIES[given.precision]
    sizes = given.sizes or ([2] if given.quick else [8, 32, 120] if device == "cuda" else [4])
    shown = [part(count // (20 if given.quick else 1), device) for count in (3000, 2000, 2000)]
    data = training.TrainingData(*shown)
    seconds = alone(data, device, how)
    figures: dict[str, object] = {
        "device": training.describe_machine(device)["device"],
        "precision": given.precision,
        "one by one: seconds per trial and epoch": seconds,
    }
    for size in sizes:
        found = together(size, data, device, how)
        figures[f"{size} together: seconds per trial and epoch"] = found["seconds"]
        figures[f"{size} together: times as fast"] = seconds / found["seconds"]
        figures[f"{size} together: gain that decides"] = found["gain that decides"]
        if device == "cuda":
            figures[f"{size} together: peak memory, GiB"] = (
                torch.cuda.max_memory_allocated() / 2**30
            )
            torch.cuda.reset_peak_memory_stats()
    publish("the published network, a population in lock-step against one by one", figures)


if __name__ == "__main__":
    main()
