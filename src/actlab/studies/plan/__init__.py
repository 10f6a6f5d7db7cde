"""A plan: its schema, its file, the presets."""
