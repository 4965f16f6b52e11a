"""Warm servers that fork a process for each submission, so that importing PyTorch is paid for once.

``server`` runs in the sandbox, imports what exercises use and forks; ``forked`` shuts a fork off from the others;
``kernel`` turns it into a Jupyter kernel, in which a student's cells run, ``judge`` into the process in which test
cells run. ``client`` starts a server and asks it for forks, ``serving`` finds the servers of this machine,
``provisioner`` lets Jupyter use them.

What it covers: each fork has namespaces, limits, descriptors and a /tmp of its own, and dies with whoever asked for it
and with the server. What it does not: forks share the state of Python's memory at the fork (the addresses, the hash
seed), so that the layout of memory is no secret between submissions; the server itself must be trusted, and runs
nothing of a submission.
"""
