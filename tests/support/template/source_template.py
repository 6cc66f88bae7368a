"""The template as it is written, before SAM translates it. The short form ``!Ref`` is read as ``{"Ref": …}``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

TEMPLATE: Mapping[str, Any] = cfn_yaml.load(str(Path(__file__).parents[3] / "template.yaml"))
RESOURCES: Mapping[str, Any] = TEMPLATE["Resources"]
