"""The pages: each a function from what was asked, and the open database, to what is shown."""
