"""What flushing denormal numbers saves on a network that saturates, and what it changes.

The setting is one of the published study's (softmax twice, a learning rate that is too high): its
gradients fade into denormal numbers. Both ways train in turn, each in a fresh process.
"""

import argparse
import json
import subprocess
import sys

from bench import publish, spread

ROUNDS = 3
EPOCHS = 6


def train(flush: bool, data_directory: str, epochs: int) -> tuple[float, list[float]]:
    """Return seconds per epoch and the accuracies by epoch of one training in a fresh process."""
    arguments = [sys.executable, __file__, "--child", str(int(flush)), "--data-dir", data_directory]
    arguments += ["--epochs", str(epochs)]
    shown = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    curve = json.loads(shown)
    return sum(epoch[0] for epoch in curve) / len(curve), [epoch[1] for epoch in curve]


def child(flush: bool, data_directory: str, epochs: int) -> None:
    """Train and print [seconds, accuracy] of every epoch."""
    import torch

    from actlab.records import Setting
    from actlab.studies import worker
    from actlab.studies.plan.file import read_plan
    from actlab.studies.trials import search_trial

    worker.initialise()
    torch.set_flush_denormal(flush)
    plan = read_plan("published", {"data.directory": data_directory, "seed": 1})
    environment = worker.prepare(plan, "", "")
    setting = Setting("leaky_relu_0.01", "prelu", 0.0069)
    trial = search_trial(plan, environment, 0, setting)
    _state, record = worker.train(trial, None, epochs)
    print(json.dumps([[epoch.seconds, epoch.valid_accuracy] for epoch in record.curve]))


def main() -> None:
    """Compare the two ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--child", type=int)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if arguments.child is not None:
        child(bool(arguments.child), arguments.data_dir, arguments.epochs)
        return
    count, epochs = (1, 1) if arguments.quick else (ROUNDS, arguments.epochs)
    rounds = [
        tuple(train(flush, arguments.data_dir, epochs) for flush in (False, True))
        for _ in range(count)
    ]
    publish(
        f"{epochs} epochs of a saturating training, one thread, {count} rounds in turn",
        {
            "seconds per epoch, kept": spread([kept[0] for kept, _flushed in rounds]),
            "seconds per epoch, flushed": spread([flushed[0] for _kept, flushed in rounds]),
            "ratio kept / flushed": spread([kept[0] / flushed[0] for kept, flushed in rounds]),
            "same accuracies in every epoch": all(
                kept[1] == flushed[1] for kept, flushed in rounds
            ),
        },
    )


if __name__ == "__main__":
    main()
