"""Advice on what to write instead of what other languages and textbooks write."""

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
    "\N{EN DASH}": "the ASCII '-'",
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
    return SYMBOLS.get(symbol, "a number, a name, an operator or a parenthesis, all in ASCII")


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
