"""Floor -1: errors, units, settings, text, Range, Result protocol, manifest. Imports nothing of ours."""
