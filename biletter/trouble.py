"""What goes wrong around the product: a taken port, a broken folder, a missing engine.

A `Trouble` is one clear sentence for the person at the console. The command line prints it on
standard error and leaves with a non-zero status; nobody is shown a traceback for it.
"""


class Trouble(Exception):
    """Something around Biletter is not as it should be."""
