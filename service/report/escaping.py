"""Text as Markdown and LaTeX show it."""

import re
import unicodedata

_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|#~"} | {"\n": " "})

_LATEX = {
    **{sign: f"\\{sign}" for sign in "%_#{}$&"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "*": "{*}",  # after the end of a row, * and [ would belong to it
    "[": "{[}",
    "]": "{]}",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": r"\textendash{}",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
}


def markdown(text: object) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return str(text).translate(_MARKDOWN)


def latex(text: object) -> str:
    """Return text that LaTeX typesets as it is, on one line, outside its math mode.

    Control characters become spaces. Letters stay, which pdfTeX sets for Latin alphabets, and XeTeX and LuaTeX for all
    that the font has.
    """
    signs = (" " if unicodedata.category(sign).startswith("C") else _LATEX.get(sign, sign) for sign in str(text))
    return re.sub("-(?=-)", "-{}", "".join(signs))  # two hyphens would become a dash
