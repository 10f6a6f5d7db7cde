"""The search of a study: asking for trials, handing them out, keeping what comes back."""
