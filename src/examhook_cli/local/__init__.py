"""The same template, deployed into an AWS emulator on this machine."""
