"""Activation functions: the catalogue of definitions and the expression trees it is written in."""

from service.domain.activations.activation import Activation, Parameter, UniformDraw
from service.domain.activations.catalogue import CATALOGUE
from service.domain.formulas.evaluation import derivative, evaluate
from service.domain.formulas.expression import Expression, formula

__all__ = ["CATALOGUE", "Activation", "Expression", "Parameter", "UniformDraw", "derivative", "evaluate", "formula"]
