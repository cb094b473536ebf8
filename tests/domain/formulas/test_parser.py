"""The parser: the formulas that it reads, the errors that it reports, and random text."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.activations.catalogue import CATALOGUE
from service.domain.formulas.expression import CONSTANTS, Call, Expression, Reference, X, formula, nodes, sigmoid, where
from service.domain.formulas.parser import (
    DEEPEST,
    FUNCTIONS,
    LARGEST_NUMBER,
    LONGEST,
    MOST_NODES,
    canonical,
    constant,
    parse,
)
from service.domain.formulas.shorthands import SHORTHANDS, SYNONYMS
from service.domain.formulas.tokens import FormulaError
from tests.conftest import ROOT
from tests.domain.formulas.generating import generated, trees

a, beta = Reference("a"), Reference("beta")


def deepest(tree: Expression) -> int:
    arguments = tree.arguments if isinstance(tree, Call) else ()
    return 1 + max(map(deepest, arguments), default=0)


def within_limits(tree: Expression) -> bool:
    numbers = [value for value in map(constant, nodes(tree)) if value]
    calls = [node for node in nodes(tree) if isinstance(node, Call)]
    powers = [abs(constant(call.arguments[1]) or 0) for call in calls if call.function == "**"]
    return (
        all(1 / LARGEST_NUMBER <= abs(value) <= LARGEST_NUMBER for value in numbers)
        and max(powers, default=0) <= 100
        and deepest(tree) < DEEPEST / 2
        and len(formula(tree)) <= LONGEST
    )


# --- what is read --------------------------------------------------------------------------------------------------


@given(trees().filter(within_limits))
def test_parse_reads_the_text_of_any_tree(tree: Expression) -> None:
    assert parse(formula(tree), ["a", "b"]) == tree


@pytest.mark.parametrize("name", CATALOGUE)
def test_parse_reads_the_formulas_of_the_catalogue(name: str) -> None:
    assert parse(CATALOGUE[name].formula, CATALOGUE[name].values()) == CATALOGUE[name].expression


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("x*sigmoid(beta*x)", X * sigmoid(beta * X)),
        (" ( ( x ) ) ", X),
        ("-x ** 2", -(X**2)),
        ("2 ** -x", 2 ** (-X)),
        ("-x * 3", (-X) * 3),
        ("x - 1 - a", (X - 1) - a),
        ("x ** a ** beta", X ** (a**beta)),
        ("1 - -x", 1 - (-X)),
        (".5e1 * x + 1.", 5 * X + 1),
        ("where(x>=0, x, 1e-3*x)", where(X >= 0, X, 1e-3 * X)),
        ("(x > 0) * x", (X > 0) * X),
        ("x\n\t+ 1", X + 1),
    ],
)
def test_parse_follows_the_precedence_of_operators(text: str, tree: Expression) -> None:
    assert parse(text, ["a", "beta"]) == tree


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("max(x, 0)", "maximum(x, 0)"),
        ("min(max(x + 3, 0), 6) * x / 6", "minimum(maximum(x + 3, 0), 6) * x / 6"),
        ("max(0, x, 2 * x)", "maximum(maximum(0, x), 2 * x)"),
        ("clip(x, -1, 1)", "minimum(maximum(x, -1), 1)"),
        ("clamp(x, min=0)", "maximum(x, 0)"),
        ("clip(x, a_min=-1, a_max=1)", "minimum(maximum(x, -1), 1)"),
        ("clamp(x, max=1, min=-1)", "minimum(maximum(x, -1), 1)"),
        ("pi * x + e", "pi * x + e"),
        ("gelu(x) + relu(2*x)", "gelu(x) + relu(2 * x)"),
        ("leaky_relu(x, 0.2)", "leaky_relu(x, slope=0.2)"),
        ("leaky_relu(x, negative_slope=a)", "leaky_relu(x, slope=a)"),
        ("leaky_relu(x, slope=0.01)", "leaky_relu(x)"),
        ("softshrink(x)", "soft_shrink(x)"),
        ("arctan(x) + ln(x)", "atan(x) + log(x)"),
        ("square(x) + rsqrt(x) + exp2(x)", "x ** 2 + 1 / sqrt(x) + 2 ** x"),
        ("logaddexp(x, 0)", "log(exp(x) + exp(0))"),
    ],
)
def test_canonical_of_names_that_numpy_and_torch_have(text: str, same: str) -> None:
    assert canonical(text, ["a"]) == same
    assert canonical(same, ["a"]) == same


def test_parse_lets_parameters_hide_names_of_the_language() -> None:
    names = ["e", "pi", "clip", "max", "relu", "sign", "arctan", "gelu"]
    assert parse("e * x + pi ** clip", names) == Reference("e") * X + Reference("pi") ** Reference("clip")
    for name in names:
        assert parse(f"{name} * x", [name]) == Reference(name) * X
    with pytest.raises(FormulaError, match="Column 5"):
        parse("clip(x, 0, 1)", ["clip"])


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "found", "expected"),
    [
        ("", 1, "the end", "a number, x"),
        ("x +", 4, "the end", "a number, x"),
        ("x + * 2", 5, "'*'", "a number, x"),
        ("+x", 1, "'+'", "a number, x"),
        ("2x", 2, "'x'", "an operator or the end; write '*' between"),
        ("(x", 3, "the end", "')'"),
        ("x)", 2, "')'", "the end"),
        ("()", 2, "')'", "a number, x"),
        ("x ^ 2", 3, "'^'", "** for a power"),
        ("x == 1", 3, "'='", "to compare"),
        ("0 < x < 1", 7, "'<'", "one comparison at a time"),
        ("swiglu(x)", 1, "the unknown name 'swiglu'", "minimum"),
        ("ReLU(x)", 1, "the unknown name 'ReLU'", "perhaps relu"),
        ("np.tanh(x)", 3, "'.'", "tanh(x), without np."),
        ("(x).exp()", 4, "'.'", "tanh(x)"),
        ("lambda x: x", 9, "':'", "without lambda"),
        ("def f(x): return x", 9, "':'", "without def"),
        ("x\N{SUPERSCRIPT FOUR}", 2, "'\\u2074'", "** 4"),
        ("\N{GREEK SMALL LETTER ALPHA} * x", 1, "'\\u03b1'", "alpha"),
        ("x \N{EM DASH} 1", 3, "'\\u2014'", "the ASCII '-'"),
        ("x \N{ASTERISK OPERATOR} 2", 3, "'\\u2217'", "'*'"),
        ("x\N{ZERO WIDTH SPACE}", 2, "'\\u200b'", "invisible"),
        ("gelu(x, approximate='tanh')", 21, '"\'"', "gelu_tanh(x)"),
        ("softplus(x, beta=2)", 11, "','", "softplus(beta * x) / beta"),
        ("hardtanh(x, -2, 2)", 11, "','", "clip(x, a, b)"),
        ("log(x, 2)", 6, "','", "log2"),
        ("maximum(x, 0, 1)", 13, "','", "max(a, b, c)"),
        ("clip(x, None, 1)", 9, "the unknown name 'None'", "clip(x, max=1)"),
        ("clamp_min(x, 0)", 1, "the unknown name 'clamp_min'", "max(x, a)"),
        ("math.exp(x)", 5, "'.'", "without math."),
        ("2(x + 1)", 2, "'('", "'*' between"),
        ("0,5 * x", 2, "','", "'.' as the decimal point"),
        ("|x|", 1, "'|'", "abs(x)"),
        ("x\N{SUPERSCRIPT TWO}", 2, "'\\xb2'", "** 2"),
        ("\N{GREEK SMALL LETTER SIGMA}(x)", 1, "'\\u03c3'", "sigmoid(x)"),
        ("x > 0 ? x : 0", 7, "'?'", "where(condition, a, b)"),
        ("x // 2", 4, "'/'", "floor(a / b)"),
        ("(x > 0) and (x < 1)", 9, "'and'", "product of two comparisons"),
        ("rrelu(x)", 1, "'rrelu'", "leaky_relu(x, slope=0.2292)"),
        ("clip(x)", 1, "with 1 argument", "min= and max="),
        ("clip(min=2)", 6, "'min'", "clip takes 1 argument"),
        ("leaky_relu(x, alpha=1)", 15, "'alpha'", "slope="),
        ("elu(x, alpha=1, alpha=2)", 15, "','", "elu takes 1 argument and alpha="),
        ("clip(x, max=1, 2)", 16, "'2'", "a keyword"),
        ("max(x)", 6, "')'", "2 or more arguments"),
        ("pow(x, 200)", 1, "the power '200'", "at most 100"),
        ("pi(x)", 3, "'('", "'*' between"),
        ("x * sigmod(x)", 5, "the unknown name 'sigmod'", "perhaps sigmoid"),
        ("y", 1, "the unknown name 'y'", "x, a parameter"),
        ("negative(x)", 1, "the unknown name 'negative'", "function"),
        ("sin x", 5, "'x'", "'(' after sin"),
        ("sin", 4, "the end", "'(' after sin"),
        ("tanh(x, 1)", 7, "','", "1 argument"),
        ("tanh()", 6, "')'", "a number, x"),
        ("where(x > 0, x)", 15, "')'", "3 arguments"),
        ("x(1)", 2, "'('", "an operator"),
        ("x.__class__", 2, "'.'", "an operator"),
        ("__import__('os')", 1, "'_'", "a name that begins with a letter"),
        ("x if x > 0 else 0", 3, "'if'", "an operator or the end; write where(condition, a, b)"),
        ("lambda x", 1, "the unknown name 'lambda'", "x, a parameter"),
        ("x\N{MULTIPLICATION SIGN}2", 2, "'\\xd7'", "'*'"),
        ("x + \N{GREEK SMALL LETTER BETA}", 5, "'\\u03b2'", "a name"),
        ("\N{ARABIC-INDIC DIGIT TWO} * x", 1, "'\\u0662'", "a number"),
        ("x ** 101", 3, "the power '101'", "at most 100"),
        ("x ** -1000", 3, "the power '-1000'", "at most 100"),
        ("x * 1e31", 5, "'1e31'", "from 1e-30 to 1e+30"),
        ("x * 1e-400", 5, "'1e-400'", "from 1e-30"),
        ("1e999999999", 1, "'1e999999999'", "from 1e-30"),
        ("x" * (LONGEST + 1), LONGEST + 1, "501 characters", "at most 500"),
        ("(" * 41 + "x", 41, "one more level", "at most 40"),
        ("-" * 41 + "x", 41, "one more level", "at most 40"),
        ("+".join("x" * 60), 80, "one more level", "at most 40"),
    ],
)
def test_parse_reports_column_found_and_expected(text: str, column: int, found: str, expected: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert caught.value.column == column
    assert found in caught.value.found
    assert expected in caught.value.expected
    assert str(caught.value).isprintable()


def test_parse_refuses_too_many_nodes() -> None:
    with pytest.raises(FormulaError, match=f"at most {MOST_NODES}"):
        parse("*".join(["(x+x+x+x+x+x+x+x+x+x)"] * 12))


def test_canonical_refuses_too_long_a_text() -> None:
    long = "*".join(["(9e15*x+9e15-x)"] * 12)
    assert len(long) < LONGEST < len(formula(parse(long)))
    with pytest.raises(FormulaError, match=r"Column 192: found \d+ characters, with single spaces"):
        canonical(long)
    assert parse(canonical("x*9e15")) == parse("x*9e15")


# --- anything at all -----------------------------------------------------------------------------------------------

NAMES = {name for row in CATALOGUE.values() for name in row.values()} | {"a", "b"}


def read(text: str) -> Expression | FormulaError:
    try:
        return parse(text, NAMES)
    except FormulaError as error:
        return error


def fuzzed(count: int, seed: int) -> tuple[int, float]:
    """Parse random formulas. Return the number of accepted ones, and the longest time of one in seconds.

    Fails unless each gives a tree whose text reads as the same tree, or an error with a column of the text.
    """
    rng, accepted, longest = random.Random(seed), 0, 0.0
    for _ in range(count):
        text = generated(rng)
        started = time.perf_counter()
        answer = read(text)
        longest = max(longest, time.perf_counter() - started)
        if isinstance(answer, FormulaError):
            assert 1 <= answer.column <= len(text) + 1, text
        else:
            assert read(formula(answer)) == answer, text
            accepted += 1
    return accepted, longest


def test_parse_reads_or_refuses_generated_and_mutated_formulas() -> None:
    accepted, longest = fuzzed(5_000, seed=0)
    assert accepted > 500
    assert longest < 1


@given(st.text(max_size=60))
def test_parse_reads_or_refuses_any_text(text: str) -> None:
    answer = read(text)
    assert not isinstance(answer, FormulaError) or 1 <= answer.column <= len(text) + 1


# --- the guide -----------------------------------------------------------------------------------------------------


def test_functions_and_limits_are_documented() -> None:
    guide = (ROOT / "docs" / "formulas.md").read_text()
    for name in (*FUNCTIONS, *SHORTHANDS):
        assert f"`{name}(" in guide, name
    for name in (*SYNONYMS, *CONSTANTS):
        assert f"`{name}`" in guide, name
    for limit in (LONGEST, MOST_NODES, DEEPEST):
        assert str(limit) in guide


def test_parse_takes_white_space_of_unicode() -> None:
    assert parse("\N{NO-BREAK SPACE}x\N{THIN SPACE}*\N{NO-BREAK SPACE}2") == parse("x * 2")
