"""The articles' claims, each decided by a rule over the results of a study. docs/claims.md explains the rules."""
