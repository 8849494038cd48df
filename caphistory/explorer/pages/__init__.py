"""The pages: functions that take a request with the open database and return a page."""
