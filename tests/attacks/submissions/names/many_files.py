"""Two thousand files in forty folders, one in another."""

POINTS = 0
HURTS = False
BOUNDS = "2,000 empty files"
FILES = {f"{'d/' * (number % 40)}{number}.txt": "" for number in range(2_000)}
