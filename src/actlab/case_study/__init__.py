"""The author's published study: its claims judged, its pictures' zooms, its printed results."""
