"""What documents say, and where the kernel disagrees.

``manual`` is a small manual of these tests' own writing, about the kernels of
``tests.kernels.database``.
"""

from pathlib import Path

MANUAL = Path(__file__).resolve().parent / "manual"
