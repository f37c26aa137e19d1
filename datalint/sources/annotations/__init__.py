"""Annotations of pictures: boxes and their classes, from the files of each format."""
