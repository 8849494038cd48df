"""Answers for notebooks: pandas data frames and Altair charts."""
