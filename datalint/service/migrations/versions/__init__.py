"""How the tables of the service came to be, one file per change."""
