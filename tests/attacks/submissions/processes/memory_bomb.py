"""Memory without end."""

POINTS = 0
HURTS = True
BOUNDS = "4 GB in steps of 64 MB"
FIRST = """\
held = []
for _ in range(64):
    held.append(bytearray(b"x") * (64 << 20))
print("ESC" "APED", len(held))
"""
