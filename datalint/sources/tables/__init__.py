"""Tables: formats, dialects, headers, columns."""
