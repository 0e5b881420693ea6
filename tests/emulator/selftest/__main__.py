"""`python -m selftest ENDPOINT [TEST…]`: runs all tests, or those named."""

import sys
import unittest
from pathlib import Path

from . import support

if len(sys.argv) < 2:
    sys.exit(__doc__)
support.ENDPOINT = sys.argv.pop(1).rstrip("/")
if len(sys.argv) > 1:
    unittest.main(module=None)
folder = Path(__file__).parent
suite = unittest.defaultTestLoader.discover(str(folder), top_level_dir=str(folder.parent))
sys.exit(not unittest.TextTestRunner(buffer=True).run(suite).wasSuccessful())
