"""What every command with `--json` prints, kept as files: it is the contract of scripts."""
