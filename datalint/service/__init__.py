"""The web service: a team's data sets, scanned version after version. It uses datalint through its Python API alone."""
