"""How answers are worded and written, in the terminal and in the explorer alike."""
