"""Activation functions: the catalogue of definitions and the expression trees it is written in."""

from service.domain.activations.catalogue import CATALOGUE, Activation, Parameter

__all__ = ["CATALOGUE", "Activation", "Parameter"]
