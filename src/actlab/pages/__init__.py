"""The page kit: theme, templates, embedding, figures and the assets that every page shares."""
