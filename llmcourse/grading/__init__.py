"""How exercises are released, checked, graded and reported, on the folder and gradebook of nbgrader.

``course`` is the folder as nbgrader sees it, ``exercise`` reads a notebook into its functions and their tests,
``execution`` runs one, ``release`` makes and proves what students get, ``submissions`` finds what they hand in,
``autograde`` marks it, ``report`` tells the marks, and ``check`` and ``progress`` are for the students themselves.

Nothing here imports torch or, of the course, anything else: exercises bring what they need in their own kernels.
"""
