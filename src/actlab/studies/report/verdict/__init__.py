"""The verdict's part of the page: one picture per file, drawn from `actlab.records.Verdict`."""
