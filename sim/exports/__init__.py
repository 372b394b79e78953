"""A run for other tools: trace events for Perfetto, spans for OpenTelemetry, rows for a table, a Mermaid diagram."""
