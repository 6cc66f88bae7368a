"""What goes wrong with the local run.

::

    LocalError                  a CommandError: one sentence that names the way out; exit status 1
    ├── NotInstalledError       a part that ``make install`` sets up is missing; trying again does not help
    ├── NotUpError              nothing runs; ``examhook local up`` helps
    ├── PortInUseError          something else listens there; another port helps
    ├── EmulatorError           the emulator does not start or stop; its log says why
    └── DeployError             the stack was not deployed, or a function cannot start; the message says which part
"""

from __future__ import annotations

from examhook_cli.errors import CommandError


class LocalError(CommandError):
    """The local run cannot do what it was asked."""


class NotInstalledError(LocalError):
    """The project's checkout or one of its environments is missing."""


class NotUpError(LocalError):
    """No local stack is running."""


class PortInUseError(LocalError):
    """The port that the emulator was to listen on is taken."""


class EmulatorError(LocalError):
    """The emulator did not start or did not stop."""


class DeployError(LocalError):
    """The stack could not be deployed or does not work."""
