"""Records as TensorFlow stores them: their framing, their checksums, and what lies in them."""
