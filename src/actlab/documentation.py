"""Where the documentation is: the one place that knows the address of the site."""

ADDRESS = "https://actlab.example/"
"""The site's address, with a slash at its end. The site is not published yet: `make docs` builds it
to be read offline, `actlab check --explain CODE` prints a rule's page from what is installed."""


def rule_address(code: str) -> str:
    """Return the address of a rule's page, which depends on nothing but its code.

    >>> rule_address("ACT101").removeprefix(ADDRESS)
    'rules/ACT101.html'
    """
    return f"{ADDRESS}rules/{code}.html"
