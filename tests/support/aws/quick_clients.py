"""Lets AWS clients and moto's keys be made quickly: half the time of the integration tests went into making them.

Each ``boto3.Session`` reads megabytes of service descriptions, the same files every time, and moto makes an RSA key for
each KMS key, although it never uses that of a symmetric one.
"""

from __future__ import annotations

import functools

import botocore.session
from botocore.loaders import create_loader
from moto.kms import models
from moto.kms.utils import AbstractPrivateKey, generate_private_key


def install() -> None:
    """Let all sessions of this process share one loader with what it read, and all symmetric keys one RSA key."""
    # botocore and moto offer no setting for either, so the names in their modules are replaced.
    vars(botocore.session)["create_loader"] = functools.cache(create_loader)
    symmetric = functools.cache(generate_private_key)

    def generated(spec: str) -> AbstractPrivateKey:
        return symmetric(spec) if spec == "SYMMETRIC_DEFAULT" else generate_private_key(spec)

    vars(models)["generate_private_key"] = generated
