"""NumPy arrays: files and folders."""
