"""The report: one HTML file that shows a run step by step, with no network and no framework."""
