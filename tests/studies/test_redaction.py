"""No secret is kept."""

import pytest

from actlab.studies.redaction import without_secrets


@pytest.mark.parametrize(
    "command",
    [
        "actlab study run digits --executor ray://me:S3CRET@host:10001",
        "actlab study run digits --executor 'dask://host:1?token=S3CRET&x=1'",
        "actlab report --storage postgresql://user:S3CRET@db/optuna --study a",
        "actlab study run p.toml --api-key S3CRET",
        "actlab study run p.toml --password=S3CRET",
        "actlab study run p.toml --wandb-token 'S3CRET'",
        "actlab study run https://S3CRET@example.org/plan.toml",
        "actlab study run 'https://example.org/plan?access_key=S3CRET'",
        "actlab study run p.toml --storage postgresql://user:S3CRET@S3CRET@db/optuna",
        "actlab study run p.toml --storage postgresql://user:pa/S3CRET@db/optuna",
        "actlab study run p.toml --storage 'postgresql://user:p?S3CRET@db/optuna'",
        "actlab study run p.toml --data 'https://h/f.csv?se=1&sig=S3CRET'",
        "actlab study run p.toml --data 'https://h/f.csv?X-Amz-Signature=S3CRET'",
        "actlab study run p.toml --data 'AccountName=a;AccountKey=S3CRET=='",
        "actlab study run p.toml --header 'Authorization: Bearer S3CRET'",
        "actlab study run p.toml --set hf_S3CRETS3CRETS3CRETS3CRET",
    ],
)
def test_a_secret_is_struck_out(command: str) -> None:
    found = without_secrets(command)
    assert "S3CRET" not in found
    assert "***" in found


@pytest.mark.parametrize(
    "command",
    [
        "actlab study run digits --trials 3 --out runs/tokens --seed 1",
        "actlab study run mine/secret.toml --network net.py:build",
        "actlab report --storage sqlite:///study.db --study key",
        "actlab report --storage sqlite:////home/me/x@y/study.db --study basics",
        "actlab report --storage postgresql://host:5432/a@b --study design=1",
    ],
)
def test_what_is_no_secret_stays(command: str) -> None:
    assert without_secrets(command) == command
