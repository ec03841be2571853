"""How the site is made: examples in pages are run, equations drawn, reference pages written from the code."""
