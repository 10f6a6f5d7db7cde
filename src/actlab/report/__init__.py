"""Pages: page data, then figures, then templates with escaping on."""
