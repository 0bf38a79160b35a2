"""How large a search may be.

Measured on two cores: a word that has to be there by itself costs a contact store 25 ms before the first contact is
looked at, a filter in each contact's own zone 350 ms. So the largest search is answered within ten seconds where no
contact matches.
"""

from __future__ import annotations

MAX_FILTERS = 50
MAX_SEARCH_WORDS = 250  # in all its filters on `text`
MAX_CONTACT_ZONE_FILTERS = 10  # bounds are bound for each of 600 zones

MAX_WORDS = 50  # of one filter; beyond this a database may refuse the pattern
MAX_VALUES = 1_000
MAX_CHARS = 1_000
MAX_COUNT = 36_600  # days in a century, also for hours: more is a slip of the pen
