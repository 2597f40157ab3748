"""What the boards show, one module for each."""
