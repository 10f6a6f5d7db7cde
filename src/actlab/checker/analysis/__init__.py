"""What a captured step means: origins, value ranges, losses, logits, output activations."""
