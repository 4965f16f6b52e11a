"""Nothing is collected here but ``test_*.py``: attacks are read when a course is made of them."""

import sys
from pathlib import Path

collect_ignore_glob = ["submissions/*", "assignment/*"]
sys.path.insert(0, str(Path(__file__).parent))  # for what stands beside the tests, which stock.py uses as a program
