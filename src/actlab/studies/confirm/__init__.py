"""The confirmation: settings chosen for each candidate and trained again with other seeds."""
