"""The face for notebooks: answers as pandas data frames and Altair charts."""
