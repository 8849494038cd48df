"""The words and formats of answers, shared by the command line, the explorer and notebooks."""
