"""A study's best network to take home: a module with weights, ONNX, source lines, a model card."""

from actlab.studies.export.export import Export, export, trained_network

__all__ = ["Export", "export", "trained_network"]
