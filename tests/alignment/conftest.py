"""Tests import what they share from beside them, by its plain name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# It runs in an environment of its own, which has TRL; doctest would import it here.
collect_ignore = ["trl_fixtures.py"]
