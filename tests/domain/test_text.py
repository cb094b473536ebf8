"""Texts of clients: their line ends, and the characters that they may hold."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from service.domain.activations.registration import NewVersion
from service.domain.spec import ExperimentSubmission
from service.domain.study import StudyPatch, StudySpec
from service.domain.text import Name, Notes, Tag, Text

ENDS = {"a\r\nb": "a\nb", "a\rb": "a\nb", "a\r\n\r\nb\r": "a\n\nb\n", "a\n\rb": "a\n\nb", "a\nb": "a\nb"}


@pytest.mark.parametrize("kind", [Name, Notes, Tag, Text])
@pytest.mark.parametrize("text", ENDS)
def test_text_has_unix_line_ends(kind: Any, text: str) -> None:
    assert TypeAdapter(kind).validate_python(text, strict=True) == ENDS[text]


def test_text_is_measured_with_unix_line_ends() -> None:
    assert len(TypeAdapter(Notes).validate_json(f'"{10_000 * "@"}"'.replace("@", "\\r\\n"))) == 10_000
    with pytest.raises(ValidationError, match="10000 characters"):
        TypeAdapter(Notes).validate_python("\r\n" * 10_001)


def test_text_refuses_other_control_characters() -> None:
    for char in "\0\b\v\f\x1b\x7f":
        with pytest.raises(ValidationError, match="Control characters"):
            TypeAdapter(Notes).validate_python(f"a{char}\r\nb")


def test_every_field_of_several_lines_has_unix_line_ends() -> None:
    assert ExperimentSubmission.model_validate({"activation": "relu", "notes": "a\r\nb"}).notes == "a\nb"
    assert StudySpec.model_validate({"base": {"activation": "relu"}, "question": "a\rb"}).question == "a\nb"
    assert StudyPatch.model_validate({"question": "a\r\nb"}).question == "a\nb"
    assert NewVersion.model_validate({"formula": "x +\r\n1", "note": "a\r\nb"}).note == "a\nb"
