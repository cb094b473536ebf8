"""CITATION.cff has what the Citation File Format 1.2.0 requires, and the version of the project."""

import tomllib
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

CITATION: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text())
TYPES = ("software", "dataset")


def test_citation_has_the_required_fields() -> None:
    """The four that the schema of the format requires, and the kind."""
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["message"]
    assert CITATION["title"] == "ActLab"
    assert CITATION["type"] in TYPES
    assert all(author.get("name") or author.get("family-names") for author in CITATION["authors"])


@pytest.mark.parametrize("field", ["version", "license"])
def test_citation_agrees_with_the_project(field: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert CITATION[field] == project[field]


def test_citation_names_the_article() -> None:
    (article,) = CITATION["references"]
    assert article["title"] == "Comparison of Activation Functions for Deep Neural Networks"
    assert article["authors"]
    assert article["year"] == 2019
