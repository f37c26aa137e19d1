"""What the site is made of besides its pages; it is no part of the distribution."""
