"""Images: files, folders, decoding."""
