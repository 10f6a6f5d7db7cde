"""Rules on what is done with a prediction after the loss: metrics, thresholds, decoding."""
