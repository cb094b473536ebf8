"""Compare the service and the training loop with those of other trackers and of plain PyTorch."""
