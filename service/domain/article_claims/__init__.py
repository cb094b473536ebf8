"""The articles' claims, each decided by a rule over what a study's experiments gave. docs/claims.md says how."""
