"""`python -m bulk_export.cli`."""

import sys

from bulk_export.cli import main

sys.exit(main())
