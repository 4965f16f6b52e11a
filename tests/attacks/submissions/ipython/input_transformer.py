"""An input transformer that replaces each test cell by nothing."""

POINTS = 0
HURTS = False
BOUNDS = "one hook"
FIRST = "get_ipython().input_transformers_post.append(lambda lines: [])\n"
