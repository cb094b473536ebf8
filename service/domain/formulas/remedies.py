"""Advice on what to write instead of what other languages and textbooks write."""

import unicodedata
from collections.abc import Mapping

SYMBOLS: Mapping[str, str] = {
    "^": "** for a power, as in x ** 2",
    "=": "<, <=, > or >= to compare",
    "!": "<, <=, > or >= to compare",
    "&": "the product of two comparisons, where both must hold",
    "|": "abs(x) for |x|, or maximum of two comparisons, where either may hold",
    "%": "x - n * floor(x / n) for x % n",
    "@": "'*'",
    "?": "where(condition, a, b)",
    ":": "where(condition, a, b)",
    "[": "'('",
    "]": "')'",
    "{": "'('",
    "}": "')'",
    "\\": "a formula such as x / (1 + exp(-x)), not LaTeX",
    "$": "a formula such as x / (1 + exp(-x)), not LaTeX",
    "\N{MINUS SIGN}": "the ASCII '-'",
    **dict.fromkeys("\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}", "the ASCII '-'"),
    **dict.fromkeys("\N{ASTERISK OPERATOR}\N{BULLET OPERATOR}\N{BULLET}", "'*'"),
    **dict.fromkeys("\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}", "a space: this character is invisible"),
    **dict.fromkeys("\"'", "a name or a number without quotation marks; gelu_tanh(x) for approximate='tanh'"),
    "_": "a name that begins with a letter, and numbers without '_'",
    "~": "1 - a for not a",
    "\N{MULTIPLICATION SIGN}": "'*'",
    "\N{MIDDLE DOT}": "'*'",
    "\N{DOT OPERATOR}": "'*'",
    "\N{DIVISION SIGN}": "'/'",
    "\N{SUPERSCRIPT TWO}": "** 2",
    "\N{SUPERSCRIPT THREE}": "** 3",
    "\N{VULGAR FRACTION ONE HALF}": "0.5",
    "\N{SQUARE ROOT}": "sqrt(x)",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "<, <=, > or >= to compare",
    "\N{INFINITY}": "a number",
    "\N{GREEK SMALL LETTER PI}": "pi",
    "\N{GREEK SMALL LETTER SIGMA}": "sigmoid(x), or a name of ASCII letters such as sigma for a parameter",
    "\N{GREEK SMALL LETTER PHI}": "a name of ASCII letters such as phi for a parameter",
}
"""By the character that begins no token."""

STATEMENTS = frozenset(("if", "lambda", "return", "def"))
"""The names of WORDS that explain a character later in the formula, such as a colon."""

WORDS: Mapping[str, str] = {
    "if": "where(condition, a, b) for a if condition else b",
    "else": "where(condition, a, b) for a if condition else b",
    "and": "the product of two comparisons for a and b",
    "or": "maximum(a, b) for a or b",
    "not": "1 - a for not a",
    "lambda": "the formula alone, without lambda",
    "return": "the formula alone, without return",
    "def": "the formula alone, without def",
    "heaviside": "step(x)",
    "piecewise": "where(condition, a, b)",
    "cond": "where(condition, a, b)",
    "select": "where(condition, a, b)",
    "mod": "x - n * floor(x / n)",
    "fmod": "x - n * floor(x / n)",
    "sinc": "where(x, sin(pi * x) / (pi * x), 1)",
    "sec": "1 / cos(x)",
    "csc": "1 / sin(x)",
    "cot": "cos(x) / sin(x)",
    "sech": "1 / cosh(x)",
    "csch": "1 / sinh(x)",
    "coth": "cosh(x) / sinh(x)",
    "log_softmax": "log(softmax(x))",
    "identity": "x",
    "threshold": "where(x > threshold, x, value)",
    "clamp_min": "max(x, a)",
    "clamp_max": "min(x, a)",
    "logit": "log(x / (1 - x))",
    "atan2": "atan(a / b) for b > 0",
    "arctan2": "atan(a / b) for b > 0",
    "trunc": "sign(x) * floor(abs(x))",
    "exp10": "10 ** x",
    "lg": "log10(x), or log2(x)",
    "signum": "sign(x)",
    "logsumexp": "logaddexp(a, b)",
    "None": "a keyword for the other argument, as in clip(x, max=1)",
    "infinity": "a number",
    "inf": "a number",
    "nan": "a number",
    "tau": "2 * pi",
    "True": "1",
    "False": "0",
    "rrelu": "the activation rrelu by its name, since a formula draws no random slopes; or leaky_relu(x, slope=0.2292)",
}
"""By a name that the language does not have."""


def of_symbol(symbol: str, name_before: str | None) -> str:
    """Return what to write instead of a character that begins no token. `name_before` is the name just before it."""
    if symbol == "." and name_before is not None:
        return f"an operator; a function is called by its name alone, as in tanh(x), without {name_before}."
    if symbol == ".":
        return "an operator; a function is called with its argument, as in tanh(x) for (x).tanh()"
    return SYMBOLS.get(symbol) or _of_its_kind(symbol)


def _of_its_kind(symbol: str) -> str:
    name, plain = unicodedata.name(symbol, ""), unicodedata.normalize("NFKC", symbol)
    if name.startswith("SUPERSCRIPT ") and plain.isascii():
        return f"** {plain}"
    if plain.isascii() and plain != symbol:
        return f"the ASCII {plain!r}"
    if name.startswith("GREEK SMALL LETTER "):
        return f"a name of ASCII letters such as {name.split()[3].lower()} for a parameter"
    return "a number, a name, an operator or a parenthesis, all in ASCII"


ARGUMENTS: Mapping[str, str] = {
    "softplus": "softplus(beta * x) / beta for another beta",
    "log": "log(x) / log(b) for the base b, or log2 and log10",
    "hard_tanh": "clip(x, a, b) for other limits",
    "gelu": "gelu_tanh(x) for the approximation by tanh",
    "maximum": "max(a, b, c)",
    "minimum": "min(a, b, c)",
    "round": "round(100 * x) / 100 for 2 decimals",
    "where": "where(a, b, where(c, d, e)) for more cases",
    "softmax": "softmax(x), which normalises over channels or units",
}
"""By a function that is called with more arguments than it has."""


def of_neighbours(before: str, text: str) -> str | None:
    """Return what to write instead of a token that is not expected after the one before it; None without advice."""
    if text in WORDS:
        return WORDS[text]
    if before == "/" == text:
        return "floor(a / b) for a // b"
    if before and text and _ends_operand(before) and _begins_operand(text):
        return "'*' between the factors of a product, as in 2 * x"
    if before[:1].isdigit() and text == ",":
        return "'.' as the decimal point"
    return None


def _ends_operand(text: str) -> bool:
    return text == ")" or text[-1].isalnum() or text[-1] == "_"


def _begins_operand(text: str) -> bool:
    return text == "(" or text[0].isalnum()
