"""Lets AWS clients and moto's keys be made quickly: half the time of the integration tests went into making them.

Each ``boto3.Session`` reads megabytes of service descriptions, the same files every time, and moto makes an RSA key for
each KMS key, although it never uses that of a symmetric one.
"""

from __future__ import annotations

import functools

import botocore.session
from botocore.loaders import create_loader
from moto.kms import models


def install() -> None:
    """Let all sessions of this process share one loader with what it read, and all symmetric keys one RSA key."""
    botocore.session.create_loader = functools.cache(create_loader)  # type: ignore[attr-defined] # imported there
    ordinary = models.generate_private_key
    symmetric = functools.cache(ordinary)
    models.generate_private_key = lambda spec: symmetric(spec) if spec == "SYMMETRIC_DEFAULT" else ordinary(spec)
