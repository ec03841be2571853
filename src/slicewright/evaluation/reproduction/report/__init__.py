"""From outcomes to a report: HTML, Markdown, CSV and figures."""
