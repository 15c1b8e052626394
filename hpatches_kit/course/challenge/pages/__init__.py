"""Report the marks: scores become a table, feedback files and a static page."""
