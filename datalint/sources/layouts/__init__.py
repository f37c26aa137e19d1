"""How data sets lie in a folder: one file per layout, found because it is here."""
