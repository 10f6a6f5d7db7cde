"""A report for its readers: text, HTML, SARIF, fixes, failures and the pages of the rules."""
