"""Plotly figures, drawn from finished numbers: nothing here counts or compares."""
