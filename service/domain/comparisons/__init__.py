"""Groups of experiments side by side: figures over seeds, pairwise tests within one family, verdicts and ranks."""
