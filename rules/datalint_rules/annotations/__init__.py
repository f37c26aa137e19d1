"""Rules about what is drawn in pictures: boxes, outlines and masks."""
