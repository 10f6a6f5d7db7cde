"""`python -m actlab`."""

from actlab.cli.main import main

main()
