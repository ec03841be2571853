"""Where on a plane the things of a data set are, and which of them are access points, nodes and users."""
