"""How the site is made."""
