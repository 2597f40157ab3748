"""What fits on which GPUs: the arithmetic, where its inputs come from, the script."""
