"""The answers under ``wrong/`` and ``right/`` are material for the tests, not modules to collect."""

collect_ignore_glob = ["*/*/wrong/*.py", "*/*/right/*.py"]
