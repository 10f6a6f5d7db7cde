"""A whole study from one call: checked, driven, judged and drawn; what Python and shell share."""
