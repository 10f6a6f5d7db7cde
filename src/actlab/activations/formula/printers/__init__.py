"""A formula written in another language: LaTeX, MathML, code of the frameworks."""
