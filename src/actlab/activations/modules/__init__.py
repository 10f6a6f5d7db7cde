"""The functions as torch modules; the only part of the catalogue that loads torch."""
