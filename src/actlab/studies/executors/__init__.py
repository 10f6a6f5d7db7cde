"""What runs trainings: local worker processes, and how trials are handed to them."""
