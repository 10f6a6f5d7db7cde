"""The functions as declared: an entry for each, one file per family; aliases."""
