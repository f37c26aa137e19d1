"""Rules about datalint's own configuration."""
