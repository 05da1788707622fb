"""Every text of `oms`, out of its code, and the Chinese that belongs to it.

    python -m starter.text.catalogue            # says what is not translated, or no longer there; exit code 1 then
    python -m starter.text.catalogue --update   # adds what is new to the catalogue, for you to translate

English needs no catalogue.
"""

import sys

from starter.text.babel_catalogue import Catalogue, command
from starter.text.extraction import refusals_of_others, texts
from starter.text.po import CHINESE_OF_OMS

OMS = Catalogue(CHINESE_OF_OMS, texts, refusals_of_others)

if __name__ == "__main__":
    sys.exit(command(sys.argv[1:], OMS))
